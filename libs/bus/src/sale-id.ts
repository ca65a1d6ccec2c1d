/*
 * A sale is known by one id from its peer's handshake to the burial of its settlement. The node draws it for each
 * connection: the first 18 characters of a UUID, 60 random bits. Every id that the sale is given later, of a join by the
 * node and of a channel by the intake, begins with it, and so does whatever names the channel: messages, rows, labels of
 * transactions, lines of logs. Nothing has to carry it besides. The rest of an id is its giver's own, so a node can't
 * choose a channel's.
 */

const SALE_LENGTH = 18;

/** An id, a UUID, of something that belongs to a sale, from a random UUID. */
export function idWithinSale(saleId: string, random: string): string {
  return saleId + random.slice(SALE_LENGTH);
}

/** The sale that a join or a channel belongs to, as `3f0c2a9e-7b1d-4c55`; of a random UUID, a new sale's id. */
export function saleIdOf(id: string): string {
  return id.slice(0, SALE_LENGTH);
}
