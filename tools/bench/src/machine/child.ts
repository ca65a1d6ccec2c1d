import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';

/** A program of the benchmarks in a process of its own that answers what it is told, one report at a time. */
export class Child<Order extends object, Report extends object> {
  private readonly process: ChildProcess;
  private readonly reports: Report[] = [];
  private waiting: ((report: Report | undefined) => void) | undefined;
  private ended = false;

  /** @param program URL of its compiled module. */
  constructor(program: URL, args: readonly string[] = []) {
    this.process = fork(program, args, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
    this.process.on('message', (report: Report) => {
      if (this.waiting === undefined) this.reports.push(report);
      else this.answer(report);
    });
    this.process.once('exit', () => {
      this.ended = true;
      this.answer(undefined);
    });
  }

  get pid(): number {
    return this.process.pid ?? 0;
  }

  tell(order: Order): void {
    this.process.send(order);
  }

  /** Its next report. Rejects when it ends, or stays silent for so long. */
  async next(timeoutMs: number): Promise<Report> {
    const known = this.reports.shift();
    if (known !== undefined) return known;
    if (this.ended) throw new Error(`process ${this.pid} of the benchmark has ended`);
    let timer: NodeJS.Timeout | undefined;
    const report = await new Promise<Report | undefined>((resolve) => {
      this.waiting = resolve;
      timer = setTimeout(() => this.answer(undefined), timeoutMs);
    });
    clearTimeout(timer);
    if (report === undefined) throw new Error(`process ${this.pid} of the benchmark ended or did not answer in time`);
    return report;
  }

  async end(): Promise<void> {
    if (this.ended) return;
    const exited = once(this.process, 'exit');
    if (this.process.connected) this.process.disconnect();
    const late = setTimeout(() => this.process.kill('SIGKILL'), END_MS);
    await exited;
    clearTimeout(late);
  }

  private answer(report: Report | undefined): void {
    const { waiting } = this;
    this.waiting = undefined;
    waiting?.(report);
  }
}

const END_MS = 3_000;
