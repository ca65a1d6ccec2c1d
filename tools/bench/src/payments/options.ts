import { parseArgs } from 'node:util';
import { positive } from '../positive.js';

/** What `npm run bench -- payments` measures. */
export interface PaymentOptions {
  /** Active channels, one run each. */
  readonly channels: readonly number[];
  /** Payments of the run at full speed. */
  readonly payments: number;
  /** Payments per second of the paced run. */
  readonly rate: number;
  readonly seconds: number;
}

export const PAYMENTS_USAGE = `options of payments:
  --channels 1,100,10000    active channels, one run each
  --payments 30000          payments at full speed
  --rate 5000               payments per second of the paced run; at most 100 per channel
  --seconds 5               length of the paced run
`;

/** Reads the command line; undefined where it can't be used. */
export function paymentOptions(args: readonly string[]): PaymentOptions | undefined {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        channels: { type: 'string', default: '1,100,10000' },
        payments: { type: 'string', default: '30000' },
        rate: { type: 'string', default: '5000' },
        seconds: { type: 'string', default: '5' },
      },
    });
    return {
      channels: values.channels.split(',').map(positive),
      payments: positive(values.payments),
      rate: positive(values.rate),
      seconds: positive(values.seconds),
    };
  } catch {
    return undefined;
  }
}
