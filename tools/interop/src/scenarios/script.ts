import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** The recorded scenarios: a scripted peer against the compiled reference. */
const FOLDER = fileURLToPath(new URL('../../../conformance/fixtures/reference/', import.meta.url));

/** What the script does: it sends a frame, or expects the reference to say something. */
export type Step =
  | { readonly kind: 'send'; readonly what: string; readonly bytes: Uint8Array }
  | { readonly kind: 'hear'; readonly what: string; readonly payload: Uint8Array };

export interface Scenario {
  readonly name: string;
  readonly description: string;
  readonly steps: readonly Step[];
  readonly isClosed: boolean;
}

interface RecordedStep {
  readonly send?: string;
  readonly recv?: string;
  readonly payload?: string;
  readonly hex?: string;
}

/** Scenarios in which the reference sells. */
export function sellerScenarios(): readonly Scenario[] {
  const { scenarios } = JSON.parse(readFileSync(`${FOLDER}scenarios.json`, 'utf8')) as {
    scenarios: {
      name: string;
      description: string;
      reference: string;
      steps: RecordedStep[];
      connectionClosedByReference: boolean;
    }[];
  };
  return scenarios
    .filter(({ reference }) => reference === 'seller')
    .map(({ name, description, steps, connectionClosedByReference }) => ({
      name,
      description,
      steps: steps.flatMap(stepOf),
      isClosed: connectionClosedByReference,
    }));
}

function stepOf({ send, recv, payload = '', hex }: RecordedStep): Step[] {
  if (send !== undefined && hex !== undefined) {
    return [{ kind: 'send', what: send.split(' ')[0] ?? '', bytes: Buffer.from(hex, 'hex') }];
  }
  return recv === undefined ? [] : [{ kind: 'hear', what: recv, payload: Buffer.from(payload, 'hex') }];
}

/** The content that the scenarios trade in, and the length of its pieces. */
export function scenarioContent(): {
  readonly name: string;
  readonly content: Uint8Array;
  readonly pieceBytes: number;
} {
  return { name: 'data.bin', content: readFileSync(`${FOLDER}scenario-content/data/data.bin`), pieceBytes: 16_384 };
}
