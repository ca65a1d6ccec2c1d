import { randomUUID } from 'node:crypto';
import { Catch, HttpException, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common';
import type { Logger } from '@seedfleet/service-kit';
import type { Request, Response } from 'express';
import { isDatabaseAway } from './database-away.js';
import { PROBLEM_TYPE } from './problem-schema.js';
import { Problem } from './problem.js';

/**
 * Turns whatever was thrown below a route or a middleware into a problem document. Faults of ours are logged here and
 * nowhere else.
 */
@Catch()
export class ProblemFilter implements ExceptionFilter {
  constructor(private readonly logger: Logger) {}

  catch(thrown: unknown, host: ArgumentsHost): void {
    const http = host.switchToHttp();
    const request = http.getRequest<Request>();
    const response = http.getResponse<Response>();
    const problem = toProblem(thrown, request);
    const requestId = randomUUID();
    // What is refused because there is too much to do must not become more to do.
    if (problem.getStatus() >= 500 && problem.code !== 'overloaded') {
      const { method, path } = request;
      this.logger.error({ requestId, method, path, code: problem.code, err: thrown }, 'a request failed');
    }
    if (response.headersSent) {
      response.destroy();
      return;
    }
    response
      .status(problem.getStatus())
      .set('Cache-Control', 'no-store')
      .type(PROBLEM_TYPE)
      .send(JSON.stringify(problem.document(requestId)));
  }
}

function toProblem(thrown: unknown, request: Request): Problem {
  if (thrown instanceof Problem) return thrown;
  const error = thrown as { status?: unknown };
  if (isDatabaseAway(thrown)) {
    return new Problem(503, 'unavailable', 'the database does not answer');
  }
  // Errors of the body parsers carry `status`; Nest's own are HttpExceptions.
  const status = thrown instanceof HttpException ? thrown.getStatus() : error.status;
  switch (status) {
    case 404:
      return new Problem(404, 'not-found', `${request.method} ${request.path} does not exist`);
    case 405:
      return new Problem(405, 'method-not-allowed', `${request.method} is not possible here`);
    case 413:
      return new Problem(413, 'body-too-large', 'the body exceeds the limit of this endpoint');
    case 415:
      return new Problem(415, 'unsupported-media-type', 'the body has an encoding or type this endpoint does not take');
    default:
      if (typeof status === 'number' && status >= 400 && status < 500) {
        return new Problem(400, 'body-malformed', 'the body is not what its content type says, or was cut short');
      }
      return new Problem(500, 'internal', 'the request failed; the log has the cause under this request id');
  }
}
