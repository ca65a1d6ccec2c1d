import { Counter, Gauge, type Registry } from '@seedfleet/service-kit';
import type { NextFunction, Request, RequestHandler, Response } from 'express';
import { bearerKey } from '../access/key-text.js';
import { principalOf } from '../access/principal.js';
import { isSafe } from '../access/same-origin.js';
import { sessionToken } from '../access/session-cookie.js';
import { Problem } from '../http/problem.js';
import { Admission, LANES, type AdmissionLimits, type Lane, type Ticket } from './admission.js';
import { KnownCredentials } from './known-credentials.js';

/** A handler that has not answered by then, though its client has left, never will. */
const ABANDONED_MS = 60_000;
/** Those that are refused come back spread over some seconds. */
const RETRY_AFTER_S = [1, 2, 3, 4] as const;

const tickets = new WeakMap<Response, Ticket>();

/** Says that an answer has begun that goes on for long and costs little: others may be worked on meanwhile. */
export function giveBackPlace(response: Response): void {
  tickets.get(response)?.leave();
}

/**
 * Refuses what can't be answered in time, with 503 `overloaded` and Retry-After, before anything is asked of the database. Health,
 * metrics and the dashboard's files are never refused; only what lies below /v1 costs more than an answer does.
 */
export function admissionControl(limits: AdmissionLimits, registry: Registry): RequestHandler {
  const admission = new Admission(limits);
  const known = new KnownCredentials();
  const refused = metrics(admission, registry);
  return (request: Request, response: Response, next: NextFunction): void => {
    if (!/^\/v1(\/|$)/i.test(request.path)) return next();
    const credential = bearerKey(request.headers.authorization) ?? sessionToken(request);
    const lane = laneOf(request, credential, known);
    let isWorking = false;
    let isAnswered = false;
    const ticket = admission.ask(lane, (outcome) => {
      isWorking = outcome === 'admitted';
      if (outcome === 'admitted') return next();
      if (outcome === 'left') return;
      refused.inc({ lane });
      response.set('Retry-After', String(RETRY_AFTER_S[Math.floor(Math.random() * RETRY_AFTER_S.length)]));
      next(new Problem(503, 'overloaded', 'more is asked than can be answered now; ask again later'));
    });
    tickets.set(response, ticket);
    whenAnswered(response, () => {
      isAnswered = true;
      ticket.leave();
      // Its owner was told by now whether it is good.
      if (credential !== undefined && isWorking) known.note(credential, principalOf(request) !== undefined, Date.now());
    });
    response.once('close', () => {
      // A timer for each would keep a minute's requests in memory.
      if (isAnswered) return;
      // A client that leaves does not end the work on its request, which must not be begun for others without end either.
      if (!isWorking) return ticket.leave();
      setTimeout(() => ticket.leave(), ABANDONED_MS).unref();
    });
  };
}

function laneOf(request: Request, credential: string | undefined, known: KnownCredentials): Lane {
  // Whoever signs in has nothing yet that could be known.
  if (credential === undefined)
    return request.method === 'POST' && request.path === '/v1/session' ? 'stranger' : 'public';
  if (!known.has(credential, Date.now())) return 'stranger';
  return isSafe(request.method) ? 'read' : 'write';
}

/** Calls back when the answer is complete, whether or not somebody is there to get it. */
function whenAnswered(response: Response, answered: () => void): void {
  const end = response.end.bind(response) as (...args: unknown[]) => Response;
  response.end = ((...args: unknown[]) => {
    answered();
    return end(...args);
  }) as Response['end'];
}

function metrics(admission: Admission, registry: Registry): Counter<'lane'> {
  const registers = [registry];
  new Gauge({
    name: 'seedfleet_http_requests_in_work',
    help: 'Requests of the market API that are worked on now',
    registers,
    collect() {
      this.set(admission.inWork);
    },
  });
  new Gauge({
    name: 'seedfleet_http_requests_waiting',
    help: 'Requests of the market API that wait for others, by lane: write and read with a known credential, stranger, public',
    labelNames: ['lane'] as const,
    registers,
    collect() {
      for (const lane of LANES) this.set({ lane }, admission.waitingIn(lane));
    },
  });
  const refused = new Counter({
    name: 'seedfleet_http_requests_refused_total',
    help: 'Requests of the market API that were refused because more was asked than could be answered, by lane',
    labelNames: ['lane'] as const,
    registers,
  });
  // Born at nothing, so that the first refusal is an increase.
  for (const lane of LANES) refused.inc({ lane }, 0);
  return refused;
}
