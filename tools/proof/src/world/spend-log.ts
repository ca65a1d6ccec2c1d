import { parseTransaction } from '@seedfleet/bitcoin-node';
import { Subscriber } from 'zeromq';

/** Every transaction that the node ever accepted, by the outputs it spends: what left the mempool again included. */
export class SpendLog {
  readonly #spenders = new Map<string, Set<string>>();
  readonly #socket = new Subscriber();

  /** @param zmq where the node publishes raw transactions */
  constructor(zmq: string) {
    this.#socket.connect(zmq);
    this.#socket.subscribe('rawtx');
    void this.#follow();
  }

  /** Ids of all transactions seen that spend an output. */
  spendersOf(txid: string, vout: number): readonly string[] {
    return [...(this.#spenders.get(`${txid}:${vout}`) ?? [])];
  }

  close(): void {
    this.#socket.close();
  }

  async #follow(): Promise<void> {
    for await (const [, body] of this.#socket) {
      const transaction = body === undefined ? undefined : parseTransaction(body);
      if (transaction === undefined) continue;
      for (const { txid, vout } of transaction.inputs) {
        const key = `${txid}:${vout}`;
        const known = this.#spenders.get(key);
        if (known === undefined) this.#spenders.set(key, new Set([transaction.txid]));
        else known.add(transaction.txid);
      }
    }
  }
}
