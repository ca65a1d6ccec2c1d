/** One thing that must work for the service to be of use. Resolves to null when it does, else to what is wrong. */
export interface HealthCheck {
  readonly name: string;
  check(): Promise<string | null> | string | null;
}

export interface HealthReport {
  readonly status: 'ok' | 'unavailable';
  readonly checks: Readonly<Record<string, string>>;
  /** What people should know of this process and does not make it ill. */
  readonly notes: Readonly<Record<string, string>>;
}

/** How long a single check may take before it counts as failed. */
const CHECK_TIMEOUT_MS = 2_000;

/** Health checks of one process; parts of the service register theirs while they are built. */
export class HealthRegistry {
  private readonly checks: HealthCheck[] = [];
  private readonly notes = new Map<string, string>();

  register(check: HealthCheck): void {
    this.checks.push(check);
  }

  /** Something that was found out once and holds; a later note of the same name replaces it. */
  note(name: string, text: string): void {
    this.notes.set(name, text);
  }

  async report(): Promise<HealthReport> {
    const results = await Promise.all(this.checks.map(async (check) => [check.name, await this.run(check)] as const));
    const status = results.every(([, problem]) => problem === null) ? 'ok' : 'unavailable';
    return {
      status,
      checks: Object.fromEntries(results.map(([name, problem]) => [name, problem ?? 'ok'])),
      notes: Object.fromEntries(this.notes),
    };
  }

  private async run(check: HealthCheck): Promise<string | null> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<string>((resolve) => {
      timer = setTimeout(() => resolve(`no answer within ${CHECK_TIMEOUT_MS} ms`), CHECK_TIMEOUT_MS);
    });
    try {
      return await Promise.race([Promise.resolve(check.check()), late]);
    } catch (failure) {
      return failure instanceof Error ? failure.message : String(failure);
    } finally {
      clearTimeout(timer);
    }
  }
}
