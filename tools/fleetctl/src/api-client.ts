import { setTimeout as sleep } from 'node:timers/promises';
import { messages } from './event-source.js';
import { Failure } from './failure.js';
import type { Target } from './target.js';

/** JSON as it comes; each command looks at the fields it shows. */
export type Json = null | boolean | number | string | readonly Json[] | JsonObject;
export interface JsonObject {
  readonly [name: string]: Json | undefined;
}

const CALL_MS = 60_000;
const RETRY_MS = 1_000;
const PAGE_ROWS = 500;

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

/** The market API, as this tool uses it. */
export class ApiClient {
  constructor(private readonly target: Target) {}

  /** The answer's JSON object. Throws a failure with the API's code when it refuses. */
  async call(method: Method, path: string, body?: JsonObject): Promise<JsonObject> {
    const { url, key } = this.target;
    let status: number;
    let text: string;
    try {
      const response = await fetch(`${url}${path}`, {
        method,
        headers: {
          accept: 'application/json',
          authorization: `Bearer ${key}`,
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        signal: AbortSignal.timeout(CALL_MS),
        redirect: 'error',
      });
      status = response.status;
      text = await response.text();
    } catch (thrown) {
      throw new Failure('api-unreachable', `the market API at ${url} does not answer: ${reason(thrown)}`);
    }
    if (status === 204) return {};
    const answer = parseObject(text);
    if (status >= 200 && status < 300 && answer !== undefined) return answer;
    throw refusal(url, text, status);
  }

  /** The body of a file, as it comes. Throws a failure with the API's code when it refuses. */
  async download(path: string): Promise<ReadableStream<Uint8Array>> {
    const { url, key } = this.target;
    let response: Response;
    try {
      response = await fetch(`${url}${path}`, { headers: { authorization: `Bearer ${key}` }, redirect: 'error' });
    } catch (thrown) {
      throw new Failure('api-unreachable', `the market API at ${url} does not answer: ${reason(thrown)}`);
    }
    if (!response.ok || response.body === null) throw refusal(url, await response.text(), response.status);
    return response.body;
  }

  /**
   * Messages of an event stream, for ever: where it breaks off it is asked again from the last message seen, once a second.
   * Throws where the API refuses, or has never answered with a stream.
   */
  async *follow(path: string, note: (line: string) => void): AsyncGenerator<JsonObject> {
    const { url, key } = this.target;
    let lastId: string | undefined;
    for (let answered = false; ; await sleep(RETRY_MS)) {
      try {
        const response = await fetch(`${url}${path}`, {
          headers: {
            accept: 'text/event-stream',
            authorization: `Bearer ${key}`,
            ...(lastId === undefined ? {} : { 'last-event-id': lastId }),
          },
          redirect: 'error',
        });
        const text = response.ok ? '' : await response.text();
        // A service that has too much to do, or is being replaced, and may do it again in a second.
        if (response.status >= 500 && answered) throw new Error(`HTTP ${response.status}`);
        if (!response.ok || response.body === null) throw refusal(url, text, response.status);
        answered = true;
        for await (const { id, event, data } of messages(response.body)) {
          lastId = id ?? lastId;
          if (event === 'reset') note('some events are no longer known: what follows is not all that happened');
          else if (event === undefined) {
            const message = parseObject(data);
            if (message !== undefined) yield message;
          }
        }
      } catch (thrown) {
        if (thrown instanceof Failure) throw thrown;
        if (!answered)
          throw new Failure('api-unreachable', `the market API at ${url} does not answer: ${reason(thrown)}`);
        note('the stream broke off; asking again');
      }
    }
  }

  /** Rows of a paged list, up to `limit`; also the first page's other members, and whether there is more. */
  async list(
    path: string,
    query: URLSearchParams,
    limit: number,
  ): Promise<{ rows: JsonObject[]; more: boolean; firstPage: JsonObject }> {
    const rows: JsonObject[] = [];
    let firstPage: JsonObject | undefined;
    for (let cursor: string | undefined; ;) {
      const page = new URLSearchParams(query);
      page.set('limit', String(Math.max(1, Math.min(PAGE_ROWS, limit - rows.length))));
      if (cursor !== undefined) page.set('cursor', cursor);
      const answer = await this.call('GET', `${path}?${page}`);
      firstPage ??= answer;
      rows.push(...objects(answer['items']));
      const next = answer['nextCursor'];
      if (typeof next !== 'string') return { rows: rows.slice(0, limit), more: rows.length > limit, firstPage };
      if (rows.length >= limit) return { rows: rows.slice(0, limit), more: true, firstPage };
      cursor = next;
    }
  }
}

/** The objects of a JSON list; nothing where it is no list. */
export function objects(list: Json | undefined): JsonObject[] {
  return Array.isArray(list) ? (list as readonly Json[]).filter(isObject) : [];
}

export function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A member as text; empty where it is absent or null. */
export function textOf(object: JsonObject | undefined, name: string): string {
  const value = object?.[name];
  if (value === undefined || value === null) return '';
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}

export function memberOf(object: JsonObject, name: string): JsonObject | undefined {
  const value = object[name];
  return isObject(value) ? value : undefined;
}

function parseObject(text: string): JsonObject | undefined {
  try {
    const value = JSON.parse(text) as Json;
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** What a problem document says; else that there is none. */
function refusal(url: string, text: string, status?: number): Failure {
  const answer = parseObject(text);
  if (answer !== undefined && typeof answer['code'] === 'string') {
    return new Failure('api-refused', String(answer['detail'] ?? answer['title'] ?? answer['code']), answer['code']);
  }
  return new Failure('api-answer-unknown', `${url} answered HTTP ${status ?? ''} and no JSON: is it a market API?`);
}

function reason(thrown: unknown): string {
  const error = thrown as { message?: string; cause?: { code?: string; message?: string } };
  return error.cause?.code ?? error.cause?.message ?? error.message ?? String(thrown);
}
