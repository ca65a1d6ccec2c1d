import type { z } from 'zod';

/**
 * What travels on the bus. Every subject is declared once, with the service that owns it; nothing is published,
 * requested or consumed except through a contract. Subjects are written below the fleet's prefix.
 */

/**
 * `signer` holds the seed for the settler; `tower` is a chain-watcher elsewhere that sends what the fleet can't send any more.
 */
export type Service = 'swarm-node' | 'channel-service' | 'chain-watcher' | 'market-api' | 'signer' | 'tower';

/** A question with exactly one answer. The owner answers; several instances share a queue group. */
export interface RequestContract<Q extends z.ZodType = z.ZodType, A extends z.ZodType = z.ZodType> {
  readonly kind: 'request';
  readonly subject: string;
  readonly owner: Service;
  /** Who may ask: nobody else's credential lets it. */
  readonly askedBy: readonly Service[];
  /** The subject's last token `*` is the id of the node that asks, and must be the request's `nodeId`. */
  readonly fromNode?: true;
  /** Of channel-service only the settler may ask, not the intake. */
  readonly settlerOnly?: true;
  readonly request: Q;
  readonly reply: A;
}

/** News for whoever listens now. May be lost: whoever needs the fact asks again or reads a stream. */
export interface EventContract<P extends z.ZodType = z.ZodType> {
  readonly kind: 'event';
  /** A last token `*` is filled with a key (a node's id) by the publisher. */
  readonly subject: string;
  readonly owner: Service;
  /** Who may listen. */
  readonly heardBy: readonly Service[];
  /** The last token is the id of the node that publishes, and must be the payload's `nodeId`. */
  readonly fromNode?: true;
  /** The last token is the id of the node it is meant for: a node hears its own only. */
  readonly toNode?: true;
  readonly payload: P;
}

/** Facts that must not be lost: stored by the broker, acknowledged by each durable consumer. */
export interface StreamContract<P extends z.ZodType = z.ZodType> {
  readonly kind: 'stream';
  /** The stream's name below the fleet's prefix. */
  readonly stream: string;
  /** Subjects of the stream; each `*` is filled by the publisher. */
  readonly subject: string;
  /** Who publishes. */
  readonly owner: Service;
  /** Who may consume it. */
  readonly readBy: readonly Service[];
  /** The subject's last token is the id of the node that publishes. */
  readonly fromNode?: true;
  readonly payload: P;
  readonly maxAgeHours: number;
  readonly maxBytes: number;
  /** Messages kept of each subject, the newest; absent: all. */
  readonly perSubject?: number;
}

export type AnyContract = RequestContract | EventContract | StreamContract;

export const defineRequest = <Q extends z.ZodType, A extends z.ZodType>(
  contract: Omit<RequestContract<Q, A>, 'kind'>,
): RequestContract<Q, A> => ({ kind: 'request', ...contract });

export const defineEvent = <P extends z.ZodType>(contract: Omit<EventContract<P>, 'kind'>): EventContract<P> => ({
  kind: 'event',
  ...contract,
});

export const defineStream = <P extends z.ZodType>(contract: Omit<StreamContract<P>, 'kind'>): StreamContract<P> => ({
  kind: 'stream',
  ...contract,
});
