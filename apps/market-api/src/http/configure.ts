import { StandardSchemaValidationPipe } from '@nestjs/common';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { Registry, type Logger } from '@seedfleet/service-kit';
import type { Request, Response } from 'express';
import type { AdmissionLimits } from '../admission/admission.js';
import { admissionControl } from '../admission/admission-control.js';
import { ApiKeyRepository } from '../access/api-key.repository.js';
import { authentication } from '../access/authentication.js';
import { SessionRepository } from '../access/session.repository.js';
import { dashboardFiles } from '../dashboard/dashboard-files.js';
import { bodies } from './body.js';
import { knownMethods } from './known-methods.js';
import { openApiDocument } from './openapi.js';
import { validationProblem } from './problem.js';
import { ProblemFilter } from './problem.filter.js';
import { requestMetrics } from './request-metrics.js';
import { securityHeaders } from './security-headers.js';
import { answerUnreadable } from './unreadable-requests.js';

/** How long an idle or slow connection is kept: longer than a poll of the dashboard, shorter than for ever. */
const KEEP_ALIVE_MS = 65_000;
const HEADERS_MS = 15_000;
const REQUEST_MS = 120_000;

export interface HttpSettings {
  /** Addresses of proxies whose word on who asks is taken, as `10.0.0.0/8`; nobody's by default. */
  readonly trustedProxies?: readonly string[];
  /** What is taken on at once. */
  readonly admission: AdmissionLimits;
}

/** Makes the application what the API promises: headers, authentication before bodies, schemas, problem documents. */
export function configureHttp(
  app: NestExpressApplication,
  logger: Logger,
  { trustedProxies = [], admission }: HttpSettings,
): void {
  app.disable('x-powered-by');
  app.set('query parser', 'simple');
  if (trustedProxies.length > 0) app.set('trust proxy', [...trustedProxies]);
  app.use(requestMetrics(app.get(Registry)));
  app.use(securityHeaders());
  const document = openApiDocument(app);
  app.use(knownMethods({ paths: { ...document.paths, '/openapi.json': { get: {} } } }));
  app.use(admissionControl(admission, app.get(Registry)));
  app.use(authentication(app.get(ApiKeyRepository), app.get(SessionRepository)));
  app.use(bodies());
  app.useGlobalPipes(new StandardSchemaValidationPipe({ exceptionFactory: validationProblem }));
  app.useGlobalFilters(new ProblemFilter(logger));

  const documentText = JSON.stringify(document);
  app.use('/openapi.json', (request: Request, response: Response, next: () => void) => {
    if (request.path !== '/') return next();
    response.type('application/json').send(documentText);
  });
  app.use(dashboardFiles());

  const server = app.getHttpServer();
  answerUnreadable(server);
  server.keepAliveTimeout = KEEP_ALIVE_MS;
  server.headersTimeout = HEADERS_MS;
  server.requestTimeout = REQUEST_MS;
}
