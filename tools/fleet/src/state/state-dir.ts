import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { z } from 'zod';
import { FleetError, reasonOf } from '../errors.js';

/** What a fleet remembers about itself; lost with the folder. */
const memorySchema = z.object({
  /** Marks the file as ours among foreign files. */
  kind: z.literal('seedfleet-state'),
  id: z.string().regex(/^[0-9a-f]{8}$/),
  secrets: z.object({ postgres: z.string(), nats: z.string(), redis: z.string(), bitcoin: z.string() }),
  /** Where this fleet's own Postgres keeps its data, once it has one. */
  postgresData: z.string().optional(),
  /** The major version that created that data; another one can't read it. */
  postgresMajor: z.number().int().optional(),
  /** The network this fleet was created for: keys and books of one network are no use on another. */
  network: z.string().optional(),
});

/** See the schema. */
export type FleetMemory = z.infer<typeof memorySchema>;

const MEMORY_FILE = 'fleet.json';

/** The folder that holds all state of one fleet. Files of others in it are left alone. */
export class StateDir {
  private constructor(
    readonly path: string,
    private memory: FleetMemory,
  ) {}

  /** Opens the folder, creating it and the fleet's identity when there is none. */
  static open(path: string): StateDir {
    const folder = resolve(path);
    try {
      // Private by default: it holds keys. Root's folder stays traversable, since its Postgres runs as another user.
      mkdirSync(folder, { recursive: true, mode: process.getuid?.() === 0 ? 0o711 : 0o700 });
      if (!statSync(folder).isDirectory()) throw new Error('it is not a folder');
      const existing = readIfThere(join(folder, MEMORY_FILE));
      if (existing !== undefined) return new StateDir(folder, parseMemory(existing));
      const created = new StateDir(folder, newMemory());
      created.remember({});
      return created;
    } catch (thrown) {
      if (thrown instanceof FleetError) throw thrown;
      throw new FleetError(
        'state-dir-unusable',
        `the state folder ${folder} can't be used`,
        reasonOf(thrown),
        'choose another with --state DIR, or make it writable',
      );
    }
  }

  /** Eight hex digits that tell this fleet from every other: the name of its database and the prefix of its subjects. */
  get id(): string {
    return this.memory.id;
  }

  get known(): Readonly<FleetMemory> {
    return this.memory;
  }

  /** Changes what the fleet remembers; written beside and renamed, so that a crash leaves the old or the new. */
  remember(change: Partial<FleetMemory>): void {
    this.memory = { ...this.memory, ...change };
    writeAtomically(join(this.path, MEMORY_FILE), `${JSON.stringify(this.memory, null, 2)}\n`);
  }

  /** Lets a database be made anew whose data are gone; one that is there stays known. */
  forgetLostDatabase(): void {
    const { postgresData, postgresMajor: _major, ...rest } = this.memory;
    if (postgresData === undefined || existsSync(join(postgresData, 'PG_VERSION'))) return;
    this.memory = rest;
    this.remember({});
  }

  /** The path of something in the folder. */
  file(...names: string[]): string {
    return join(this.path, ...names);
  }

  /** A private folder below this one, created when missing. */
  folder(...names: string[]): string {
    const path = this.file(...names);
    mkdirSync(path, { recursive: true, mode: 0o700 });
    return path;
  }
}

/** Writes a private file so that readers see all of it or none. */
export function writeAtomically(file: string, text: string): void {
  const fresh = `${file}.${process.pid}.new`;
  writeFileSync(fresh, text, { mode: 0o600 });
  renameSync(fresh, file);
}

function newMemory(): FleetMemory {
  const secret = () => randomBytes(18).toString('hex');
  return {
    kind: 'seedfleet-state',
    id: randomBytes(4).toString('hex'),
    secrets: { postgres: secret(), nats: secret(), redis: secret(), bitcoin: secret() },
  };
}

function readIfThere(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw thrown;
  }
}

function parseMemory(text: string): FleetMemory {
  const parsed = memorySchema.safeParse(JSON.parse(text));
  if (!parsed.success) throw new Error(`${MEMORY_FILE} in it is not this program's, or damaged`);
  return parsed.data;
}
