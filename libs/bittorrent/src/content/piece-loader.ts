import { Worker } from 'node:worker_threads';
import { contentErrorFrom, type ContentError } from './errors.js';
import type { Span } from './spans.js';

/** What a worker is asked for; without spans it only hashes what is already in memory. */
export interface WorkerJob {
  readonly id: number;
  readonly memory: SharedArrayBuffer;
  readonly lengthBytes: number;
  readonly spans: readonly Span[] | undefined;
  readonly expectedHash: Uint8Array;
}

interface WorkerAnswer {
  readonly id: number;
  readonly problem: { readonly code?: 'file-short'; readonly path: string; readonly systemCode?: string } | undefined;
  readonly matches: boolean;
}

/** Sales come before verification: a buyer waits for the first, nobody for the second. */
export type LoadPriority = 'sale' | 'verification';

export interface LoadRequest {
  /** Memory that the piece is read into; must hold `lengthBytes`. Untouched by others until the answer. */
  readonly memory: SharedArrayBuffer;
  readonly lengthBytes: number;
  /** Where the bytes come from; undefined to check what is in memory already. */
  readonly spans: readonly Span[] | undefined;
  /** SHA-1, 20 bytes. */
  readonly expectedHash: Uint8Array;
  readonly priority: LoadPriority;
}

interface Job {
  readonly request: LoadRequest;
  readonly resolve: (error: ContentError | undefined) => void;
}

/** Jobs given to one worker ahead of time, so that it never idles between two. */
const JOBS_PER_WORKER = 2;

/**
 * Reads and hashes pieces on worker threads. Callers bound the number of requests by the memory they own. Threads start
 * on first use and keep no process alive.
 */
export class PieceLoader {
  private readonly waiting: Record<LoadPriority, Job[]> = { sale: [], verification: [] };
  private readonly threads: LoaderThread[] = [];
  private closed = false;

  /** @param threads How many workers, at least one. */
  constructor(private readonly threadCount: number) {}

  /** Loads one piece. Resolves with undefined when its hash is right, else with what is wrong; never rejects. */
  load(request: LoadRequest): Promise<ContentError | undefined> {
    if (this.closed) return Promise.resolve({ code: 'aborted' });
    return new Promise((resolve) => {
      this.waiting[request.priority].push({ request, resolve });
      this.dispatch();
    });
  }

  /** Ends the threads; loads that have not finished resolve with `aborted`. */
  async close(): Promise<void> {
    this.closed = true;
    for (const list of Object.values(this.waiting)) for (const job of list.splice(0)) job.resolve({ code: 'aborted' });
    await Promise.all(this.threads.splice(0).map((thread) => thread.close()));
  }

  private dispatch(): void {
    while (!this.closed && this.waiting.sale.length + this.waiting.verification.length > 0) {
      const thread = this.freeThread();
      const job = thread === undefined ? undefined : (this.waiting.sale.shift() ?? this.waiting.verification.shift());
      if (thread === undefined || job === undefined) return;
      thread.run(job);
    }
  }

  private freeThread(): LoaderThread | undefined {
    let best: LoaderThread | undefined;
    for (const thread of this.threads) if (best === undefined || thread.busy < best.busy) best = thread;
    if (best?.busy === 0 || (best !== undefined && this.threads.length >= this.threadCount)) {
      return best.busy < JOBS_PER_WORKER ? best : undefined;
    }
    const started = new LoaderThread(
      () => this.dispatch(),
      (dead) => this.threads.splice(this.threads.indexOf(dead), 1),
    );
    this.threads.push(started);
    return started;
  }
}

class LoaderThread {
  private readonly worker = new Worker(new URL('./piece-worker.js', import.meta.url));
  private readonly jobs = new Map<number, Job>();
  private lastId = 0;

  constructor(onFree: () => void, onDeath: (thread: LoaderThread) => void) {
    this.worker.unref();
    this.worker.on('message', (answer: WorkerAnswer) => {
      this.settle(answer);
      onFree();
    });
    // A worker dies only of exhausted memory or a fault in it: its pieces fail, a new one takes the next job.
    this.worker.on('error', () => undefined);
    this.worker.on('exit', () => {
      onDeath(this);
      for (const job of this.jobs.values()) job.resolve({ code: 'read-failed', detail: 'worker ended' });
      this.jobs.clear();
      onFree();
    });
  }

  get busy(): number {
    return this.jobs.size;
  }

  run(job: Job): void {
    const id = ++this.lastId;
    this.jobs.set(id, job);
    const { memory, lengthBytes, spans, expectedHash } = job.request;
    if (this.jobs.size === 1) this.worker.ref();
    this.worker.postMessage({ id, memory, lengthBytes, spans, expectedHash } satisfies WorkerJob);
  }

  async close(): Promise<void> {
    for (const job of this.jobs.values()) job.resolve({ code: 'aborted' });
    this.jobs.clear();
    await this.worker.terminate();
  }

  private settle(answer: WorkerAnswer): void {
    const job = this.jobs.get(answer.id);
    if (job === undefined) return;
    this.jobs.delete(answer.id);
    if (this.jobs.size === 0) this.worker.unref();
    job.resolve(errorOf(answer));
  }
}

function errorOf(answer: WorkerAnswer): ContentError | undefined {
  const { problem } = answer;
  if (problem?.code !== undefined) return { code: problem.code, path: problem.path };
  if (problem !== undefined) return contentErrorFrom({ code: problem.systemCode }, 'read-failed', problem.path);
  return answer.matches ? undefined : { code: 'piece-corrupt' };
}
