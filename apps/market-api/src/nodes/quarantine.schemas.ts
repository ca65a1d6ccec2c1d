import { nodeId } from '@seedfleet/bus';
import { z } from 'zod';
import { reasonText, timeText } from '../http/schemas.js';

export const quarantinedNode = z.object({
  nodeId: z.string(),
  reason: z.string().meta({ description: 'code of the first message that a true node does not send' }),
  since: timeText,
  parkedPayments: z.int().meta({ description: 'messages of the node that were kept apart' }),
});
export const quarantineList = z.object({ items: z.array(quarantinedNode) });
export type QuarantineList = z.output<typeof quarantineList>;

export const quarantinedParam = z.strictObject({ id: nodeId });
export type QuarantinedParam = z.output<typeof quarantinedParam>;

export const releaseBody = z.strictObject({
  why: reasonText.meta({ description: 'for the audit log and other operators' }),
});
export type ReleaseBody = z.output<typeof releaseBody>;
