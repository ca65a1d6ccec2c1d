import { createInterface } from 'node:readline/promises';
import type { Conversation } from '../providers/provide.js';

/** Says what would be done; asks only a person at a terminal who did not say `--yes`. Enter means yes. */
export function terminalConversation(yes: boolean, say: (line: string) => void, signal: AbortSignal): Conversation {
  return {
    say,
    async allow(plan) {
      say(plan);
      if (yes || process.stdin.isTTY !== true || process.stdout.isTTY !== true) return true;
      const terminal = createInterface({ input: process.stdin, output: process.stdout });
      // In a question, Ctrl-C reaches the terminal's reader and not the process.
      terminal.on('SIGINT', () => process.kill(process.pid, 'SIGINT'));
      try {
        const answer = await terminal.question('          may it? [Y/n] ', { signal });
        return !/^\s*n/i.test(answer);
      } catch {
        return false;
      } finally {
        terminal.close();
      }
    },
  };
}
