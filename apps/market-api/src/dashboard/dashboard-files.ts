import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import express, { type NextFunction, type Request, type RequestHandler, type Response } from 'express';
import { methodNotAllowed } from '../http/known-methods.js';

/** Where the dashboard's build lies, seen from this file's sources and from its build alike. */
const BUILT_DASHBOARD = fileURLToPath(new URL('../../../dashboard/dist/', import.meta.url));

const NOT_BUILT = `<!doctype html><html lang="en"><meta charset="utf-8"><title>Seedfleet</title>
<p>The dashboard is not built. Build the workspace, then reload. The API works all the same.</p></html>`;

/** Pages of the dashboard: each address gives the page itself, which then shows what the address says. */
const PAGES = /^\/(revenue|torrents|channels|nodes|settlement|treasury|alerts|settings)(\/[\w-]{1,64})?$/;

/**
 * Serves the dashboard at `/` and at the addresses of its pages. Its assets carry a hash in their names and may be cached for ever; the page itself is
 * asked for again each time, so that a new build shows at once.
 */
export function dashboardFiles(folder = BUILT_DASHBOARD): RequestHandler {
  const files = express.static(folder, {
    index: 'index.html',
    redirect: false,
    fallthrough: true,
    setHeaders: (response, path) => {
      const immutable = path.includes('/assets/');
      response.set('Cache-Control', immutable ? 'public, max-age=31536000, immutable' : 'no-cache');
    },
  });
  return (request: Request, response: Response, next: NextFunction): void => {
    // No file has such a name, and looking for one takes longer than much of what is asked there.
    if (request.path.startsWith('/v1/')) return next();
    const isPage = request.path === '/' || PAGES.test(request.path);
    if (isPage && !isRead(request.method)) return next(methodNotAllowed(request, response, ['GET', 'HEAD']));
    if (isPage && !existsSync(`${folder}index.html`)) {
      response.status(503).type('html').send(NOT_BUILT);
      return;
    }
    if (isPage) request.url = '/index.html';
    files(request, response, next);
  };
}

function isRead(method: string): boolean {
  return method === 'GET' || method === 'HEAD';
}
