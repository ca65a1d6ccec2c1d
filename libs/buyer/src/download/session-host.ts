import {
  createBuyerSession,
  stepBuyerSession,
  type BuyerPhase,
  type BuyerSessionConfig,
  type BuyerSessionEffect,
  type BuyerSessionEvent,
  type BuyerSessionState,
} from '@seedfleet/exchange';

/** Steps the pure machine: events that arise from effects wait until the step has returned. */
export class SessionHost {
  private readonly queue: BuyerSessionEvent[] = [];
  private stepping = false;
  state: BuyerSessionState;

  /**
   * @param carryOut called for each effect, in order
   * @param stepped called after each step with the phase it led to
   */
  constructor(
    config: BuyerSessionConfig,
    private readonly carryOut: (effect: BuyerSessionEffect) => void,
    private readonly stepped: (phase: BuyerPhase) => void,
  ) {
    this.state = createBuyerSession(config);
  }

  feed(event: BuyerSessionEvent): void {
    this.queue.push(event);
    if (this.stepping) return;
    this.stepping = true;
    try {
      for (let next = this.queue.shift(); next !== undefined; next = this.queue.shift()) {
        const { state, effects } = stepBuyerSession(this.state, next);
        this.state = state;
        for (const effect of effects) this.carryOut(effect);
        this.stepped(state.phase);
      }
    } finally {
      this.stepping = false;
    }
  }
}
