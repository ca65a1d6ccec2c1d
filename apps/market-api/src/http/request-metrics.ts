import { Histogram, type Registry } from '@seedfleet/service-kit';
import type { NextFunction, Request, RequestHandler, Response } from 'express';

/** From a cached page to a large torrent file. */
const BUCKETS_SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10];

/** Times every request by route, so that ids in paths don't become labels without end. */
export function requestMetrics(registry: Registry): RequestHandler {
  const seconds = new Histogram({
    name: 'seedfleet_http_request_seconds',
    help: 'Time to answer a request of the market API, seconds, by route and status',
    labelNames: ['method', 'route', 'status'] as const,
    buckets: BUCKETS_SECONDS,
    registers: [registry],
  });
  return (request: Request, response: Response, next: NextFunction): void => {
    const stop = seconds.startTimer();
    response.on('finish', () => {
      const route = request.route as { path?: unknown } | undefined;
      stop({
        method: KNOWN_METHODS.has(request.method) ? request.method : 'other',
        route: typeof route?.path === 'string' ? route.path : 'none',
        status: String(response.statusCode),
      });
    });
    next();
  };
}

const KNOWN_METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']);
