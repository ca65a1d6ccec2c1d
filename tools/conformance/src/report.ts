import { VectorError } from './input/fields.js';

/** One case that did not come out as the reference did. */
export interface Failure {
  /** File and case, readable by a person. */
  readonly name: string;
  /** What was expected and what came instead, one line each. */
  readonly differences: readonly string[];
}

/** Counts cases and keeps what is to be printed about those that failed. */
export class Report {
  passed = 0;
  readonly failures: Failure[] = [];
  /** Files that are no vectors by themselves, with the reason. */
  readonly skipped: string[] = [];
  /** Uses of a deliberate difference: rule id to number of cases. */
  readonly ruleUses = new Map<string, number>();

  /** Counts one case: passed when there is no difference. */
  add(name: string, differences: readonly string[]): void {
    if (differences.length === 0) this.passed += 1;
    else this.failures.push({ name, differences });
  }

  /**
   * Runs one case. A vector that cannot be read and code of ours that throws are failures of that case, so that the
   * others still run.
   */
  run(name: string, compare: () => readonly string[]): void {
    try {
      this.add(name, compare());
    } catch (error) {
      if (error instanceof VectorError) this.add(name, [`vector not understood: ${error.message}`]);
      else this.add(name, [`threw ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`]);
    }
  }

  useRule(id: string): void {
    this.ruleUses.set(id, (this.ruleUses.get(id) ?? 0) + 1);
  }
}
