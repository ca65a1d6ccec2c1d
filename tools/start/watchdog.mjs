// Ends what a killed tool left behind: started by the tool with a pipe as standard input, told of every process the
// tool starts, and acting when the pipe closes without a farewell. Plain JavaScript, because it must run before
// anything is installed or built.
//
// Lines on standard input, one JSON object each:
//   {"token": T}                 processes with SEEDFLEET_RUN=T in their environment belong to this run as well
//   {"add": PID, "start": TICKS, "signal": NAME}
//   {"remove": PID}
//   {"farewell": true}           the tool has stopped everything itself
import { readdirSync, readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';

/** After the polite signal this long until SIGKILL; the tool promises 5 s in all. */
const GRACE_MS = 2500;
const POLL_MS = 50;

const known = new Map();
let token;
let farewell = false;

/** Start time in clock ticks since boot: together with the pid it names one process for ever. Undefined when gone. */
function startTicks(pid) {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' ? undefined : fields[19];
  } catch {
    return undefined;
  }
}

/** Processes that carry the run's token, caught even if the tool died between starting and announcing them. */
function carriers() {
  if (token === undefined) return [];
  const found = [];
  for (const entry of readdirSync('/proc')) {
    if (!/^\d+$/.test(entry) || Number(entry) === process.pid) continue;
    try {
      if (readFileSync(`/proc/${entry}/environ`, 'latin1').split('\0').includes(`SEEDFLEET_RUN=${token}`)) {
        found.push(Number(entry));
      }
    } catch {
      // gone meanwhile, or another user's
    }
  }
  return found;
}

function signalAll(pids, signalOf) {
  for (const pid of pids) {
    // The group first: every process of the tool leads its own, so its children are reached too.
    for (const target of [-pid, pid]) {
      try {
        process.kill(target, signalOf(pid));
      } catch {
        // gone
      }
    }
  }
}

/** Pids of this run that are alive: announced ones that are still themselves, and carriers of the token. */
function living() {
  const pids = new Set(carriers());
  for (const [pid, { start }] of known) if (startTicks(pid) === start) pids.add(pid);
  return [...pids];
}

async function endEverything() {
  signalAll(living(), (pid) => known.get(pid)?.signal ?? 'SIGTERM');
  const deadline = Date.now() + GRACE_MS;
  while (living().length > 0 && Date.now() < deadline) await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  signalAll(living(), () => 'SIGKILL');
}

// A terminal's Ctrl-C or hang-up is the tool's business; the pipe tells when the tool is gone.
for (const signal of ['SIGINT', 'SIGHUP', 'SIGTERM']) process.on(signal, () => {});

const lines = createInterface({ input: process.stdin });
lines.on('line', (line) => {
  let message;
  try {
    message = JSON.parse(line);
  } catch {
    return; // a line cut by the tool's death
  }
  if (message.token !== undefined) token = message.token;
  if (message.add !== undefined) known.set(message.add, { start: message.start, signal: message.signal });
  if (message.remove !== undefined) known.delete(message.remove);
  if (message.farewell) farewell = true;
});
lines.on('close', async () => {
  if (!farewell) await endEverything();
  process.exit(0);
});
