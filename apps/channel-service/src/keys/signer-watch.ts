import { Inject, Injectable, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { SIGNER } from '../tokens.js';
import { RemoteSigner } from './remote-signer.js';
import type { Signer } from './signer.js';

const EVERY_MS = 2_000;

/** Asks a signer in another process whether it is there, so that its absence is known before something has to be signed. */
@Injectable()
export class SignerWatch implements OnApplicationBootstrap, OnApplicationShutdown {
  private timer: NodeJS.Timeout | undefined;
  private asking: Promise<void> | undefined;

  constructor(@Inject(SIGNER) private readonly signer: Signer) {}

  onApplicationBootstrap(): void {
    const { signer } = this;
    if (!(signer instanceof RemoteSigner)) return;
    this.timer = setInterval(() => {
      this.asking ??= signer.probe().finally(() => void (this.asking = undefined));
    }, EVERY_MS);
  }

  async onApplicationShutdown(): Promise<void> {
    clearInterval(this.timer);
    await this.asking;
  }
}
