import { MESSAGE_ID, type MessageIds, type MessageName } from '@seedfleet/wire';

/** The id table for a frame that goes out under a given id: the peer's own number may differ from ours. */
export function idsWith(name: MessageName, id: number): MessageIds {
  return MESSAGE_ID[name] === id ? MESSAGE_ID : { ...MESSAGE_ID, [name]: id };
}
