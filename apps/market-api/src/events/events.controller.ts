import { Controller, Get, Query, Req, Res } from '@nestjs/common';
import { ApiHeader, ApiTags } from '@nestjs/swagger';
import type { Request, Response } from 'express';
import { z } from 'zod';
import { principalOf } from '../access/principal.js';
import { idCursor, pageOf, pageQuery, toIdPage } from '../http/cursor.js';
import { Endpoint } from '../http/endpoint.js';
import { validationProblem } from '../http/problem.js';
import { timeText } from '../http/schemas.js';
import { kindFilter, kindPattern, kindPatterns } from './event-kinds.js';
import { EventLog } from './event-log.js';
import { EventStreams, eventView } from './event-streams.js';

const eventSchema = z.object({
  id: z.string(),
  kind: z.string().meta({ description: 'as `channel.settled`, `offer.set`, `node.silent`, `chain.block`' }),
  subject: z.string(),
  data: z.unknown(),
  at: timeText,
});
const kinds = z
  .union([kindPattern.transform((one) => [one]), kindPatterns])
  .optional()
  .meta({ description: 'one or more kinds, or families of them as `channel.*`; all by default' });
const streamQuery = z.strictObject({ kind: kinds });
const logQuery = z.strictObject({ limit: pageQuery.limit, cursor: idCursor, kind: kinds });
const STREAM = 'text/event-stream';
const lastEventId = z.string().regex(/^\d{1,18}$/);

/** What happens in the fleet, as it happens. */
@ApiTags('events')
@Controller('v1/events')
export class EventsController {
  constructor(
    private readonly streams: EventStreams,
    private readonly log: EventLog,
  ) {}

  @Get()
  @Endpoint({
    summary: 'Events as they happen (server-sent events): each message is one event as in the log',
    access: 'read',
    produces: STREAM,
  })
  @ApiHeader({
    name: 'Last-Event-ID',
    required: false,
    description: 'the last event seen: what came after it is sent first; `reset` where that is no longer known',
    schema: { type: 'string' },
  })
  async stream(
    @Query({ schema: streamQuery }) { kind }: z.output<typeof streamQuery>,
    @Req() request: Request,
    @Res() response: Response,
  ): Promise<void> {
    const header = request.headers['last-event-id'];
    const seen = header === undefined ? undefined : lastEventId.safeParse(header);
    if (seen?.success === false) throw validationProblem([{ message: 'Last-Event-ID is not one of ours', path: [] }]);
    // The stream has no end, which a client that wants no body would wait for.
    if (request.method === 'HEAD') return void response.type(STREAM).set('Cache-Control', 'no-store').end();
    const after = seen === undefined ? undefined : BigInt(seen.data);
    await this.streams.serve(response, principalOf(request)?.keyId ?? '', kindFilter(kind ?? []), after);
  }

  @Get('log')
  @Endpoint({ summary: 'Events of the last days, newest first', access: 'read', answer: pageOf(eventSchema) })
  async list(@Query({ schema: logQuery }) { cursor, limit, kind }: z.output<typeof logQuery>) {
    const before = cursor === undefined ? undefined : BigInt(cursor);
    const rows = await this.log.before(before, limit + 1, kind ?? []);
    return toIdPage(rows, limit, eventView);
  }
}
