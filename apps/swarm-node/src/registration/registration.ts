import { nodeHeartbeat, nodeRegister, type nodePlace, type Bus } from '@seedfleet/bus';
import { faultPoint, type Logger } from '@seedfleet/service-kit';
import type { z } from 'zod';

const HEARTBEAT_MS = 5_000;
/** Pause before another try to register. */
const RETRY_MS = 1_000;

export type Vitals = Omit<z.output<typeof nodeHeartbeat.payload>, 'nodeId' | 'peerAddress'>;

/** Enters the fleet, stays known to it, and enters again after the broker was lost. */
export class Registration {
  private timer: NodeJS.Timeout | undefined;
  private stopped = false;
  private registered = false;
  private registering = false;

  constructor(
    private readonly parts: {
      readonly nodeId: string;
      /** HOST:PORT for leechers; a detected address may become known later. */
      readonly peerAddress: () => string;
      readonly version: string;
      readonly place: z.output<typeof nodePlace>;
      readonly bus: Bus;
      readonly logger: Logger;
      readonly vitals: () => Vitals;
      /** The node is known to the fleet, for the first time or again. */
      readonly onRegistered: () => void;
    },
  ) {}

  get isRegistered(): boolean {
    return this.registered;
  }

  start(): void {
    this.timer = setInterval(() => this.beat(), HEARTBEAT_MS);
    void this.register();
  }

  stop(): void {
    this.stopped = true;
    clearInterval(this.timer);
  }

  /** Tries until the fleet accepts. */
  async register(): Promise<void> {
    const { bus, nodeId, version, place, logger } = this.parts;
    if (this.registering) return;
    this.registering = true;
    for (let tries = 1; !this.stopped; tries++) {
      faultPoint('node.register.before-request');
      const peerAddress = this.parts.peerAddress();
      const reply = await bus.request(nodeRegister, { nodeId, peerAddress, version, place });
      if (reply.ok && reply.value.accepted) {
        faultPoint('node.register.after-reply');
        this.registered = true;
        this.registering = false;
        logger.info({ nodeId, peerAddress }, 'registered with the fleet');
        this.beat();
        return this.parts.onRegistered();
      }
      const code = reply.ok ? 'not-accepted' : reply.code;
      if (tries === 1 || tries % 30 === 0) logger.warn({ code, tries }, 'not registered yet');
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    }
  }

  /** Tells the fleet now how the node is. */
  beat(): void {
    const { bus, nodeId, peerAddress, vitals } = this.parts;
    bus.publish(nodeHeartbeat, [], { nodeId, peerAddress: peerAddress(), ...vitals() });
  }
}
