import { once } from 'node:events';
import { Controller, Get, Query, Req, Res } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { Request, Response } from 'express';
import { z } from 'zod';
import { giveBackPlace } from '../admission/admission-control.js';
import { Endpoint } from '../http/endpoint.js';
import { Problem } from '../http/problem.js';
import { csvLine } from './csv.js';
import { EXPORTS, ExportRows, type ExportRow } from './export-rows.js';
import { periodOf, periodQuery } from './period.js';

/** Each keeps a connection to Postgres busy for as long as its reader reads. */
const MAX_EXPORTS = 4;

const CSV = 'text/csv';
const JSON_TYPE = 'application/json';

const exportQuery = z.strictObject({
  ...periodQuery,
  of: z.enum(EXPORTS).meta({ description: 'what a row is' }),
  format: z.enum(['csv', 'json']).optional().meta({ description: 'by default what Accept prefers, else csv' }),
});

/** Whole reports as files. They are written while they are read from the database, so their size does not matter. */
@ApiTags('reports')
@Controller('v1/reports')
export class ExportController {
  private running = 0;

  constructor(private readonly rows: ExportRows) {}

  @Get('export')
  @Endpoint({
    summary: 'A report as CSV or JSON file',
    access: 'read',
    produces: [CSV, JSON_TYPE],
    refusals: [503],
  })
  async export(
    @Query({ schema: exportQuery }) query: z.output<typeof exportQuery>,
    @Req() request: Request,
    @Res() response: Response,
  ): Promise<void> {
    if (this.running >= MAX_EXPORTS) {
      response.set('Retry-After', '10');
      throw new Problem(503, 'overloaded', `${MAX_EXPORTS} exports are written already`);
    }
    this.running += 1;
    try {
      await this.write(query, request, response);
    } finally {
      this.running -= 1;
    }
  }

  private async write(query: z.output<typeof exportQuery>, request: Request, response: Response): Promise<void> {
    const { of, from, to } = query;
    const format = query.format ?? (request.accepts([CSV, JSON_TYPE]) === JSON_TYPE ? 'json' : 'csv');
    const pages = this.rows.pages(of, periodOf(query));
    // The first page before the first byte: a refusal can still be told.
    const first = await pages.next();
    const name = ['seedfleet', of, from, to].filter((part) => part !== undefined).join('-');
    response
      .type(format === 'csv' ? `${CSV}; charset=utf-8` : JSON_TYPE)
      .vary('Accept')
      .set('Content-Disposition', `attachment; filename="${name}.${format}"`)
      .set('Cache-Control', 'no-store');
    if (request.method === 'HEAD') return void response.end();
    giveBackPlace(response);
    const write = format === 'csv' ? csvWriter() : jsonWriter();
    for (let page = first; page.done !== true; page = await pages.next()) {
      if (response.destroyed) return;
      const text = write.rows(page.value);
      if (text !== '' && !response.write(text)) await Promise.race([once(response, 'drain'), once(response, 'close')]);
    }
    response.end(write.end());
  }
}

interface Writer {
  rows(rows: readonly ExportRow[]): string;
  end(): string;
}

function csvWriter(): Writer {
  let headed = false;
  return {
    rows: (rows) => {
      const head = headed || rows[0] === undefined ? '' : csvLine(Object.keys(rows[0]));
      headed ||= rows.length > 0;
      return head + rows.map((row) => csvLine(Object.values(row))).join('');
    },
    end: () => '',
  };
}

function jsonWriter(): Writer {
  let any = false;
  return {
    rows: (rows) => {
      if (rows.length === 0) return '';
      const text = (any ? ',\n' : '[\n') + rows.map((row) => JSON.stringify(row)).join(',\n');
      any = true;
      return text;
    },
    end: () => (any ? '\n]\n' : '[]\n'),
  };
}
