import { z } from 'zod';

/** Schemas that several endpoints share. */

export const infoHashText = z
  .string()
  .regex(/^[0-9a-fA-F]{40}$/, 'must be 40 hexadecimal digits')
  .transform((text) => text.toLowerCase())
  .meta({ description: 'infohash (version 1), hexadecimal' });

export const infoHashParam = z.strictObject({ infoHash: infoHashText });
export type InfoHashParam = z.output<typeof infoHashParam>;

/** Satoshi in an answer. */
export const satoshiText = z
  .string()
  .regex(/^-?(0|[1-9]\d*)$/)
  .meta({ description: 'satoshi, decimal' });

/** A time in an answer. */
export const timeText = z.iso.datetime().meta({ description: 'ISO 8601, UTC' });

/** Why somebody does something. Control characters are refused: the database can't hold all of them. */
export const reasonText = z
  .string()
  .trim()
  .min(1)
  .max(300)
  .regex(/^\P{Cc}*$/u, 'must be printable');

/** No parameters at all: an unknown one is refused like an unknown field. */
export const noQuery = z.strictObject({});
