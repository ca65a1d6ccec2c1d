import { Inject, Module, type BeforeApplicationShutdown, type DynamicModule } from '@nestjs/common';
import { SwarmNode } from './node.js';

/** Hands the node to Nest, which stops it before the HTTP server and the broker go. */
@Module({})
export class SwarmNodeModule implements BeforeApplicationShutdown {
  constructor(@Inject(SwarmNode) private readonly node: SwarmNode) {}

  static with(node: SwarmNode): DynamicModule {
    return { module: SwarmNodeModule, providers: [{ provide: SwarmNode, useValue: node }], exports: [SwarmNode] };
  }

  beforeApplicationShutdown(): Promise<void> {
    return this.node.stop();
  }
}
