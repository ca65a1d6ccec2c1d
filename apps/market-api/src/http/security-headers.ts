import type { RequestHandler } from 'express';
import helmet from 'helmet';

/**
 * Headers of every answer. The dashboard needs nothing from elsewhere, so nothing else is allowed: no foreign scripts,
 * styles, fonts, frames or connections. Plain HTTP stays possible, because the fleet often runs behind a proxy or on
 * one machine; the proxy adds HSTS.
 */
export function securityHeaders(): RequestHandler {
  return helmet({
    contentSecurityPolicy: {
      useDefaults: false,
      directives: {
        defaultSrc: ["'none'"],
        scriptSrc: ["'self'"],
        styleSrc: ["'self'"],
        imgSrc: ["'self'", 'data:'],
        connectSrc: ["'self'"],
        baseUri: ["'none'"],
        formAction: ["'none'"],
        frameAncestors: ["'none'"],
      },
    },
    strictTransportSecurity: false,
    // Public market data may be read by any site.
    crossOriginResourcePolicy: { policy: 'cross-origin' },
    referrerPolicy: { policy: 'no-referrer' },
  });
}
