import { Subscriber } from 'zeromq';

/** What a notification is about; its content is not used. */
export type NodeHint = 'block' | 'transaction';

export interface ZmqHintOptions {
  /** Address of the node's publisher, e.g. `tcp://127.0.0.1:28332`; needs `zmqpubhashblock` and `zmqpubhashtx`. */
  readonly address: string;
  readonly onHint: (hint: NodeHint) => void;
}

/**
 * Listens to the node's ZMQ publisher for reasons to look sooner. Notifications can be lost, repeated or forged by
 * whoever owns the port, so nothing is read from them: polling is the truth and works without this.
 * zeromq reconnects by itself; an address where nobody listens is silent, not an error.
 * @returns a function that stops listening.
 * @throws Error if the address is malformed.
 */
export function listenForHints(options: ZmqHintOptions): () => void {
  const socket = new Subscriber({ receiveHighWaterMark: 100, linger: 0, reconnectMaxInterval: 10_000 });
  socket.connect(options.address);
  socket.subscribe('hashblock', 'hashtx');
  void pump(socket, options.onHint);
  return () => socket.close();
}

async function pump(socket: Subscriber, onHint: (hint: NodeHint) => void): Promise<void> {
  try {
    for await (const [topic] of socket) onHint(topic?.toString() === 'hashblock' ? 'block' : 'transaction');
  } catch {
    // A closed socket ends the loop by throwing; there is nobody to tell, and polling goes on.
  }
}
