import { z } from 'zod';

/** A place on this service's own file system, below a content root. */
export const rootedPath = z
  .string()
  .max(4_096)
  .regex(/^\/[^\0]*$/, 'must be an absolute path')
  .meta({ description: 'a file or folder below a content root, as market-api sees it' });

export const contentQuery = z.strictObject({
  path: rootedPath.optional().meta({ description: 'a folder; default: the roots themselves' }),
  after: z.string().max(255).optional().meta({ description: '`nextAfter` of the page before' }),
  limit: z.coerce.number().int().min(1).max(500).default(200).meta({ description: 'entries of a page' }),
});
export type ContentQuery = z.output<typeof contentQuery>;

export const contentSchema = z.object({
  path: z.string().nullable().meta({ description: 'null: the roots' }),
  parent: z.string().nullable().meta({ description: 'the folder above; null at a root' }),
  entries: z.array(
    z.object({
      name: z.string(),
      path: z.string(),
      kind: z.enum(['file', 'folder', 'other']).meta({ description: 'other: a link or device, which is not followed' }),
      sizeBytes: z.int().nullable(),
    }),
  ),
  nextAfter: z.string().nullable(),
});
export type ContentView = z.output<typeof contentSchema>;
