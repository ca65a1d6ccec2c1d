import type { NextFunction, Request, RequestHandler, Response } from 'express';
import { Problem, validationProblem } from './problem.js';

/** What an OpenAPI document says of its paths, as far as it matters here. */
interface DocumentedPaths {
  readonly paths: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}

interface KnownPath {
  readonly pattern: RegExp;
  readonly methods: readonly string[];
  /** Content types of a GET's answer; empty where it does not say. */
  readonly produces: readonly string[];
}

const METHODS = ['get', 'post', 'put', 'patch', 'delete'] as const;

/** What any site may read. */
const FOR_EVERYBODY = /^\/(v1\/market\/|openapi\.json$)/;
const PREFLIGHT_SECONDS = 86_400;

/**
 * Answers what can be told from the document alone, before anybody is asked for a key: that a path is not one, that it lacks
 * this method (with those that it has), what may be asked of it (OPTIONS), and that it does not give what the client takes.
 */
export function knownMethods(document: DocumentedPaths): RequestHandler {
  const known = Object.entries(document.paths).map(([path, operations]) => knownPath(path, operations));
  return (request: Request, response: Response, next: NextFunction): void => {
    if (!isDecodable(request.path)) {
      return next(validationProblem([{ message: 'the path is not percent-encoded UTF-8', path: [] }]));
    }
    if (FOR_EVERYBODY.test(request.path)) response.set('Access-Control-Allow-Origin', '*');
    const here = known.filter(({ pattern }) => pattern.test(request.path));
    if (here.length === 0) return next();
    const allowed = [...new Set(here.flatMap(({ methods }) => methods))];
    if (request.method === 'OPTIONS') return allow(request, response, allowed);
    if (!allowed.includes(request.method)) return next(methodNotAllowed(request, response, allowed));
    const produces = here.flatMap((path) => path.produces);
    if (isRead(request.method) && produces.length > 0 && request.accepts(produces) === false) {
      return next(new Problem(406, 'not-acceptable', `there is ${produces.join(', ')} here`, { produces }));
    }
    next();
  };
}

/** The refusal of a method, with those that there are. */
export function methodNotAllowed(request: Request, response: Response, allowed: readonly string[]): Problem {
  response.set('Allow', allowed.join(', '));
  return new Problem(405, 'method-not-allowed', `${request.method} is not possible here`, { allowed });
}

function allow(request: Request, response: Response, allowed: readonly string[]): void {
  response.set('Allow', allowed.join(', '));
  if (FOR_EVERYBODY.test(request.path)) {
    response.set('Access-Control-Allow-Methods', 'GET, HEAD').set('Access-Control-Max-Age', String(PREFLIGHT_SECONDS));
  }
  response.status(204).end();
}

const isRead = (method: string): boolean => method === 'GET' || method === 'HEAD';

function isDecodable(path: string): boolean {
  try {
    decodeURIComponent(path);
    return true;
  } catch {
    return false;
  }
}

function knownPath(path: string, operations: Readonly<Record<string, unknown>>): KnownPath {
  const literal = path.split(/\{\w+\}/).map((part) => part.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  const methods = METHODS.filter((method) => operations[method] !== undefined).map((method) => method.toUpperCase());
  return {
    // As the router compares: letters of either case, and a slash at the end or none.
    pattern: new RegExp(`^${literal.join('[^/]+')}/?$`, 'i'),
    methods: [...methods.flatMap((method) => (method === 'GET' ? ['GET', 'HEAD'] : [method])), 'OPTIONS'],
    produces: producedBy(operations['get']),
  };
}

function producedBy(operation: unknown): readonly string[] {
  const { responses } = (operation ?? {}) as {
    readonly responses?: Readonly<Record<string, { readonly content?: Readonly<Record<string, unknown>> }>>;
  };
  return Object.keys(responses?.['200']?.content ?? {});
}
