import { Counter, Gauge, Histogram, type Registry } from '@seedfleet/service-kit';

/** Everything this node measures. Counters end in `_total`, sizes in `_bytes`, times in `_seconds`. */
export class NodeMetrics {
  readonly connections: Gauge;
  readonly connectionsOpened: Counter<'direction'>;
  readonly connectionsRefused: Counter<'code'>;
  readonly connectionsClosed: Counter<'code'>;
  readonly exchangeNotes: Counter<'code'>;
  readonly channels: Gauge<'state'>;
  readonly channelsOpened: Counter;
  readonly joinsRefused: Counter<'code'>;
  readonly channelsEnded: Counter<'reason'>;
  readonly verdicts: Counter<'kind' | 'code'>;
  readonly piecesSent: Counter;
  readonly bytesSent: Counter;
  readonly pieceReadSeconds: Histogram;
  readonly pieceReadFailures: Counter<'code'>;
  readonly payments: Counter;
  readonly paymentAckSeconds: Histogram;
  readonly paymentBatchEntries: Histogram;
  readonly publishFailures: Counter;
  readonly retainedPayments: Gauge;
  readonly exposureBytes: Gauge;
  readonly exposureWaits: Counter<'limit'>;
  readonly sources: Gauge;
  readonly sourceCosts: Counter<'cost'>;
  readonly speedTests: Counter<'verdict'>;
  readonly speedTestSeconds: Histogram;
  readonly freeBytesSent: Counter;
  readonly freeRefused: Counter<'code'>;
  readonly leaseHeld: Gauge;
  readonly torrents: Gauge<'state'>;
  readonly protectedConnections: Counter<'protection'>;
  readonly peersFound: Counter<'source'>;
  readonly trackerFailures: Counter<'code'>;
  readonly dhtNodes: Gauge;
  readonly dhtPackets: Gauge<'direction'>;
  readonly dials: Counter<'outcome'>;
  readonly dialCandidates: Gauge;
  readonly metadataParts: Counter<'verdict'>;
  readonly torrentsSettledSeconds: Gauge;
  readonly verifiedBytes: Counter;
  readonly fetchedBytes: Counter;
  readonly fetchFailures: Counter<'code'>;
  readonly fetchedHeldBytes: Gauge;
  readonly evictedBytes: Counter<'why'>;

  constructor(registry: Registry) {
    const registers = [registry];
    const counter = <Label extends string>(name: string, help: string, labelNames: Label[] = []): Counter<Label> =>
      new Counter({ name: `seedfleet_node_${name}`, help, labelNames, registers });
    const gauge = <Label extends string>(name: string, help: string, labelNames: Label[] = []): Gauge<Label> =>
      new Gauge({ name: `seedfleet_node_${name}`, help, labelNames, registers });
    const histogram = (name: string, help: string, buckets: number[]): Histogram =>
      new Histogram({ name: `seedfleet_node_${name}`, help, buckets, registers });

    this.connections = gauge('connections', 'Peer connections now');
    this.connectionsOpened = counter('connections_opened_total', 'Peers that finished their handshake', ['direction']);
    this.connectionsRefused = counter('connections_refused_total', 'Connections that never became peers', ['code']);
    this.connectionsClosed = counter('connections_closed_total', 'Peer connections ended, by cause', ['code']);
    this.exchangeNotes = counter('exchange_notes_total', 'Frames and events that changed nothing, by cause', ['code']);
    this.channels = gauge('channels', 'Channels now: joined or serving', ['state']);
    this.channelsOpened = counter('channels_opened_total', 'Channels joined');
    this.joinsRefused = counter('joins_refused_total', 'Invitations refused, by cause', ['code']);
    this.channelsEnded = counter('channels_ended_total', 'Funded channels ended, by cause', ['reason']);
    this.verdicts = counter('funding_verdicts_total', 'Funding verdicts taken up', ['kind', 'code']);
    this.piecesSent = counter('pieces_sent_total', 'Pieces handed to peers');
    this.bytesSent = counter('piece_sent_bytes_total', 'Bytes of pieces handed to peers');
    this.pieceReadSeconds = histogram(
      'piece_read_seconds',
      'From asking for a piece until it is in memory and verified',
      [0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10],
    );
    this.pieceReadFailures = counter('piece_read_failures_total', 'Pieces that could not be sold, by cause', ['code']);
    this.payments = counter('payments_total', 'Verified payments');
    this.paymentAckSeconds = histogram(
      'payment_ack_seconds',
      'From a verified payment until the broker has stored it',
      [0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 2, 10, 120],
    );
    this.paymentBatchEntries = histogram(
      'payment_batch_entries',
      'Entries per published batch',
      [1, 4, 16, 64, 256, 1024, 2000],
    );
    this.publishFailures = counter('payment_publish_failures_total', 'Batches that the broker did not acknowledge');
    this.retainedPayments = gauge('payments_retained', 'Channels whose newest payment is not yet committed');
    this.exposureBytes = gauge('exposure_bytes', 'Bytes loaded or delivered and not yet durably paid');
    this.exposureWaits = counter('exposure_waits_total', 'Pieces that waited for an exposure limit', ['limit']);
    this.sources = gauge('sources', 'Addresses and subnets whose cost is remembered');
    this.sourceCosts = counter('source_costs_total', 'Costs charged to addresses and their subnets, by cause', [
      'cost',
    ]);
    this.speedTests = counter('speed_tests_total', 'Speed tests asked for, by verdict', ['verdict']);
    this.speedTestSeconds = histogram(
      'speed_test_seconds',
      'From a speed test request until its answer was handed to the system',
      [0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3],
    );
    this.freeBytesSent = counter('free_sent_bytes_total', 'Bytes of content given away by the free tier');
    this.freeRefused = counter('free_refused_total', 'Free blocks refused, by cause', ['code']);
    this.leaseHeld = gauge('lease_held', '1 while pieces may leave: watermark and chain report are fresh');
    this.protectedConnections = counter('encrypted_connections_total', 'Peers by what is encrypted', ['protection']);
    this.peersFound = counter('peers_found_total', 'Peer addresses reported by discovery, repeats included', [
      'source',
    ]);
    this.trackerFailures = counter('tracker_failures_total', 'Announces that trackers did not serve', ['code']);
    this.dhtNodes = gauge('dht_nodes', 'DHT nodes known');
    this.dhtPackets = gauge('dht_packets', 'DHT packets since the start', ['direction']);
    this.dials = counter('dials_total', 'Connections tried to peers that were found', ['outcome']);
    this.metadataParts = counter('metadata_parts_total', 'Parts of metadata asked for, by verdict', ['verdict']);
    this.dialCandidates = gauge('dial_candidates', 'Addresses remembered for dialling');
    this.torrents = gauge('torrents', 'Torrents assigned to this node', ['state']);
    this.torrentsSettledSeconds = gauge(
      'torrents_settled_seconds',
      'From the start of the process until the state of every assigned torrent was known',
    );
    this.verifiedBytes = counter('verified_bytes_total', 'Content bytes read and hashed at load');
    this.fetchedBytes = counter('fetched_bytes_total', 'Content bytes fetched from addresses, verified and written');
    this.fetchFailures = counter('fetch_failures_total', 'Fetches that stopped, by cause', ['code']);
    this.fetchedHeldBytes = gauge('fetched_held_bytes', 'Bytes that fetched content has or will have on the disk');
    this.evictedBytes = counter('evicted_bytes_total', 'Fetched content deleted, by cause', ['why']);
  }
}
