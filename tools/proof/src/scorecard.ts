/** Counts what held and what did not, one line each, and ends with `N passed, N failed`. */
export class Scorecard {
  passed = 0;
  failed = 0;
  private readonly startedAtMs = performance.now();

  /** @param only cases whose names contain one of these, separated by `|`; the others are passed over */
  constructor(
    private readonly print: (line: string) => void,
    private readonly only = '',
  ) {}

  /** Runs one case; it holds when it resolves with no faults. Never rejects. */
  async run(name: string, work: () => Promise<readonly string[]>): Promise<void> {
    if (!this.only.split('|').some((text) => name.includes(text))) return;
    const begun = performance.now();
    let faults: readonly string[];
    try {
      faults = await work();
    } catch (thrown) {
      faults = [thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown)];
    }
    const tookS = ((performance.now() - begun) / 1_000).toFixed(1);
    this.line(`${faults.length === 0 ? '✓' : '✗'} ${name} (${tookS} s)`);
    for (const fault of faults) this.line(`    ${fault}`);
    if (faults.length === 0) this.passed += 1;
    else this.failed += 1;
  }

  /** Something outside all cases did not hold. */
  fail(text: string): void {
    this.failed += 1;
    this.line(`✗ ${text}`);
  }

  line(text: string): void {
    const sinceS = ((performance.now() - this.startedAtMs) / 1_000).toFixed(1);
    this.print(`${sinceS.padStart(7)} s ${text}`);
  }

  summary(): string {
    return `${this.passed} passed, ${this.failed} failed`;
  }
}
