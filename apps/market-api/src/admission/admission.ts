/**
 * Who is served when more is asked than can be answered: a bounded number of requests is worked on, a bounded number waits for
 * a bounded time, in the order of what would be missed most, and the rest is refused at once. Without it everything would get
 * slower for everybody, for as long as somebody asks. Pure but for the timers that end waiting.
 */

/** Whose request it is, the most important first. */
export const LANES = ['write', 'read', 'stranger', 'public'] as const;
/** `write` and `read`: with a credential that was good a moment ago; `stranger`: with any other; `public`: with none. */
export type Lane = (typeof LANES)[number];

export interface AdmissionLimits {
  /** Requests that are worked on at once. */
  readonly atOnce: number;
  /** Of these, how many may be strangers' and the public's. */
  readonly atOnceOfOthers: number;
  /** Requests that wait. */
  readonly waiting: number;
  /** The longest that one waits, ms. */
  readonly maxWaitMs: number;
}

/** `left`: the client went away meanwhile. */
export type Outcome = 'admitted' | 'refused' | 'left';

interface Waiting {
  readonly lane: Lane;
  readonly decide: (outcome: Outcome) => void;
}

/** One request that was taken into account. */
export interface Ticket {
  /** Gives its place back, waiting or worked on; further calls do nothing. */
  leave(): void;
}

const isOther = (lane: Lane): boolean => lane === 'stranger' || lane === 'public';

export class Admission {
  private working = 0;
  private workingForOthers = 0;
  private readonly queues: Readonly<Record<Lane, Set<Waiting>>> = {
    write: new Set(),
    read: new Set(),
    stranger: new Set(),
    public: new Set(),
  };

  constructor(private readonly limits: AdmissionLimits) {}

  get inWork(): number {
    return this.working;
  }

  waitingIn(lane: Lane): number {
    return this.queues[lane].size;
  }

  /** `decided` is called once: at once, or when its turn comes, its time is over, or the ticket is given back before. */
  ask(lane: Lane, decided: (outcome: Outcome) => void): Ticket {
    let state: 'waiting' | 'working' | 'over' = 'waiting';
    let timer: NodeJS.Timeout | undefined;
    const queue = this.queues[lane];
    const waiting: Waiting = {
      lane,
      decide: (outcome) => {
        clearTimeout(timer);
        queue.delete(waiting);
        state = outcome === 'admitted' ? 'working' : 'over';
        decided(outcome);
      },
    };
    const ticket = {
      leave: (): void => {
        if (state === 'waiting') waiting.decide('left');
        else if (state === 'working') {
          state = 'over';
          this.working -= 1;
          if (isOther(lane)) this.workingForOthers -= 1;
          this.next();
        }
      },
    };
    // Nobody of its lane is overtaken; those of lower lanes wait because they may not work yet.
    if (queue.size === 0 && this.hasRoomFor(lane)) this.admit(waiting);
    else if (this.makeWaitingRoom(lane)) {
      queue.add(waiting);
      timer = setTimeout(() => waiting.decide('refused'), this.limits.maxWaitMs);
    } else waiting.decide('refused');
    return ticket;
  }

  private hasRoomFor(lane: Lane): boolean {
    if (this.working >= this.limits.atOnce) return false;
    return !isOther(lane) || this.workingForOthers < this.limits.atOnceOfOthers;
  }

  private admit(waiting: Waiting): void {
    this.working += 1;
    if (isOther(waiting.lane)) this.workingForOthers += 1;
    waiting.decide('admitted');
  }

  /** Whether one more may wait: where there is no room, the latest of the lowest lane below it makes way. */
  private makeWaitingRoom(lane: Lane): boolean {
    const all = LANES.reduce((total, each) => total + this.queues[each].size, 0);
    if (all < this.limits.waiting) return true;
    const lower = LANES.slice(LANES.indexOf(lane) + 1).reverse();
    const last = lower.flatMap((each) => [...this.queues[each]].slice(-1))[0];
    last?.decide('refused');
    return last !== undefined;
  }

  private next(): void {
    for (const lane of LANES) {
      for (const waiting of this.queues[lane]) {
        if (!this.hasRoomFor(lane)) break;
        this.admit(waiting);
      }
    }
  }
}
