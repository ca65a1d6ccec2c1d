// What a person sees of `npm start`: one line per step, with the time since the start and the step's own.

const TITLE_WIDTH = 26;
/** A step that takes longer is announced, so that nobody thinks it hangs. */
const SLOW_MS = 3000;

/** Prints steps to standard output. All times are in seconds. */
export class Steps {
  #startedAtMs = performance.now();

  /** Seconds since the start. */
  get seconds() {
    return (performance.now() - this.#startedAtMs) / 1000;
  }

  /**
   * Runs one step and prints its line when it is done. A failed step prints its line too and passes the failure on.
   * @param describe the result as a short text
   */
  async run(title, work, describe = () => '') {
    const begun = performance.now();
    const slow = setTimeout(() => this.#print(`${this.#clock()} … ${title}`), SLOW_MS);
    const took = () => `${((performance.now() - begun) / 1000).toFixed(1)} s`;
    try {
      const result = await work();
      this.#line('✓', title, describe(result), took());
      return result;
    } catch (thrown) {
      this.#line('✗', title, 'failed', took());
      throw thrown;
    } finally {
      clearTimeout(slow);
    }
  }

  /** A line between the steps. */
  note(text) {
    for (const line of text.split('\n')) this.#print(`${this.#clock()}   ${line}`);
  }

  /** A failure: what failed, why, and what to do. */
  failure({ what, why, todo }) {
    this.#print('');
    this.#print(`${what}.`);
    for (const [index, line] of why.split('\n').entries())
      this.#print(`${index === 0 ? '  Why:   ' : '         '}${line}`);
    this.#print(`  To do: ${todo}.`);
  }

  #line(mark, title, text, took) {
    this.#print(`${this.#clock()} ${mark} ${title.padEnd(TITLE_WIDTH)} ${text}${text === '' ? '' : '  '}(${took})`);
  }

  #clock() {
    return `${this.seconds.toFixed(1).padStart(6)} s`;
  }

  #print(line) {
    process.stdout.write(`${line}\n`);
  }
}
