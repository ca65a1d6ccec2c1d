import pg from 'pg';
import { Prisma } from './generated/client.js';

const { builtins, getTypeParser } = pg.types;

/** The largest whole numbers as bigint, everything else as the driver has it. */
const TYPES = {
  getTypeParser: (type: number, format?: 'text' | 'binary') =>
    type === builtins.INT8 ? BigInt : (getTypeParser(type, format) as (text: string) => unknown),
};

/**
 * Statements that are asked very often, straight through the driver on the connections of a Prisma client: a raw query of Prisma
 * takes several times the processor time of the driver's own. Written as for Prisma, `Prisma.sql`. Amounts come as bigint,
 * `numeric` as text, times as Date.
 */
export class Statements {
  constructor(
    private readonly pool: pg.Pool,
    private readonly nameOf: (query: { readonly sql: string }) => string,
  ) {}

  /** @throws the driver's own error */
  async rows<Row extends object>(statement: Prisma.Sql): Promise<Row[]> {
    const { text, values } = statement;
    const name = this.nameOf({ sql: text });
    const { rows } = await this.pool.query<Row>({ text, values, types: TYPES, ...(name === '' ? {} : { name }) });
    return rows;
  }
}

/** Page sizes that people and programs ask for; a row more tells that there are more. */
const USUAL_LIMITS = new Set([10, 20, 25, 30, 50, 100, 200, 500].map((rows) => rows + 1));

/**
 * A statement's LIMIT. As a parameter Postgres would not know how few rows are wanted, find the plan for any number of them bad, and
 * plan each time anew; so the usual numbers are part of the text. Others stay parameters: texts must be few.
 */
export function limitOf(rows: number): Prisma.Sql {
  return USUAL_LIMITS.has(rows) ? Prisma.raw(String(rows)) : Prisma.sql`${rows}`;
}
