/** The discarding downloader: a process of its own, so that what it costs is not counted as the seller's. */
import type { OpenOrder, SinkOrder, SinkReport } from './sink-orders.js';
import { JoystreamSink } from './joystream-sink.js';
import { StandardSink } from './standard-sink.js';

let sinks: (JoystreamSink | StandardSink)[] = [];
let pieceLengthBytes = 0;
let warm = 0;
let done = 0;
let startedMs = 0;

function report(what: SinkReport): void {
  process.send?.(what);
}

function open(order: OpenOrder): void {
  warm = 0;
  done = 0;
  pieceLengthBytes = order.pieceLengthBytes;
  const joystream = new Set<JoystreamSink>();
  const onJoined = (): void => {
    const channels = [...joystream].flatMap(({ joined }) => (joined === undefined ? [] : [joined]));
    if (channels.length === order.connections) report({ type: 'joined', channels });
  };
  sinks = Array.from({ length: order.connections }, (_, index) => {
    const common = {
      host: order.host,
      port: order.port,
      infoHash: order.infoHash,
      encrypted: order.encrypted,
      onFailure: (why: string) => report({ type: 'failed', why }),
      onWarm: () => {
        warm += 1;
        if (warm === order.connections) report({ type: 'warm' });
      },
      onDone,
      run: {
        // Connections begin far from one another, as buyers do: none lives from what another has just had read.
        firstPiece: Math.floor((index * order.pieceCount) / order.connections),
        pieceCount: order.pieceCount,
        pieces: order.piecesPerConnection,
        requestsOpen: order.requestsOpen,
      },
    };
    if (order.mode === 'standard') return new StandardSink({ ...common, pieceLengthBytes });
    const sink = new JoystreamSink({ ...common, paid: order.mode === 'paid', onJoined });
    joystream.add(sink);
    return sink;
  });
}

function onDone(): void {
  done += 1;
  if (done < sinks.length) return;
  const seconds = (performance.now() - startedMs) / 1000;
  const pieces = sinks.reduce((sum, { arrived }) => sum + arrived - 1, 0);
  const payments = sinks.reduce((sum, sink) => sum + (sink instanceof JoystreamSink ? sink.payments : 0), 0);
  report({ type: 'done', bytes: pieces * pieceLengthBytes, seconds, payments });
}

process.on('message', (order: SinkOrder) => {
  switch (order.type) {
    case 'open':
      return open(order);
    case 'fund':
      return sinks.forEach((sink, index) => {
        const output = order.outputs[index];
        if (!(sink instanceof JoystreamSink) || output === undefined) return;
        sink.fund(order.txid, output.vout, BigInt(output.valueSat));
      });
    case 'go':
      startedMs = performance.now();
      return sinks.forEach((sink) => sink.go());
    case 'close':
      return void Promise.all(sinks.map((sink) => sink.close())).then(() => report({ type: 'closed' }));
  }
});
process.on('disconnect', () => process.exit());
