import { encodeExtendedHandshake, MESSAGE_ID, MESSAGE_NAMES } from '@seedfleet/wire';
import { describe, expect, it } from 'vitest';

import { BUYER_TERMS, closeCode, connectionConfig, INSTALL, only, Probe, sent, UNINSTALL } from '../testing/parties.js';

const text = (body: string) => new TextEncoder().encode(body);

/** An install handshake with other ids and, perhaps, a client name. */
function installWith(firstId: number, client?: string): Uint8Array {
  const ids = [...MESSAGE_NAMES]
    .sort()
    .map((name) => `${name.length + 3}:js_${name}i${firstId + MESSAGE_NAMES.indexOf(name)}e`)
    .join('');
  const v = client === undefined ? '' : `1:v${client.length}:${client}`;
  return text(`d2:cc3:4.01:md${ids}e${v}e`);
}

function observer(): Probe {
  const probe = new Probe();
  probe.step({ type: 'observe' });
  return probe;
}

describe('gate', () => {
  it('sends nothing before both sides have installed, then announces the mode', () => {
    const probe = observer();
    expect(only(probe.step({ type: 'start' }), 'send-handshake')).toEqual([
      { type: 'send-handshake', kind: 'install' },
    ]);
    const effects = probe.shake();
    expect(effects[0]).toEqual({ type: 'session-joined' });
    expect(sent(effects)).toEqual([{ type: 'observe' }]);
  });

  it('joins on start when the peer had installed before', () => {
    const probe = observer();
    expect(probe.shake()).toEqual([]);
    const effects = probe.step({ type: 'start' });
    expect(effects.map((effect) => effect.type)).toEqual(['send-handshake', 'session-joined', 'send']);
  });

  it('installs once per cycle', () => {
    const probe = observer();
    probe.step({ type: 'start' });
    expect(only(probe.step({ type: 'start' }), 'send-handshake')).toEqual([]);
  });

  it('stays silent after the peer uninstalled, and speaks again after it re-installed', () => {
    const probe = observer();
    probe.step({ type: 'start' });
    probe.shake();
    expect(only(probe.shake(UNINSTALL), 'session-left')).toHaveLength(1);
    expect(sent(probe.step({ type: 'buy', terms: BUYER_TERMS }))).toEqual([]);
    expect(sent(probe.shake())).toEqual([{ type: 'buy', terms: BUYER_TERMS }]);
  });

  it('keeps the connection through our own uninstall and drops what crossed it', () => {
    const probe = observer();
    probe.step({ type: 'start' });
    probe.shake();
    const stopped = probe.step({ type: 'stop' });
    expect(only(stopped, 'send-handshake')).toEqual([{ type: 'send-handshake', kind: 'uninstall' }]);
    expect(closeCode(probe.recv({ type: 'observe' }))).toBeUndefined();
    const again = probe.step({ type: 'start' });
    expect(again.map((effect) => effect.type)).toEqual(['send-handshake', 'session-joined', 'send']);
  });

  it('closes on a message from a peer that has not installed', () => {
    const probe = observer();
    probe.step({ type: 'start' });
    expect(closeCode(probe.recv({ type: 'observe' }))).toBe('message-outside-session');
  });

  it('does nothing after a close', () => {
    const probe = observer();
    probe.step({ type: 'start' });
    probe.recv({ type: 'observe' });
    expect(probe.shake()).toEqual([]);
    expect(probe.step({ type: 'disconnected' })).toEqual([]);
  });
});

describe('received handshakes', () => {
  const installed = () => {
    const probe = observer();
    probe.step({ type: 'start' });
    probe.shake();
    return probe;
  };

  it.each([
    ['version-without-dot', 'd2:cc1:41:mdee'],
    ['version-not-numeric', 'd2:cc3:a.b1:mdee'],
    ['version-mismatch', 'd2:cc3:5.01:mdee'],
    ['mapping-missing', 'd2:cc3:4.0e'],
  ])('closes: %s', (code, body) => {
    expect(closeCode(observer().shake(text(body)))).toBe(code);
  });

  it.each([
    ['no version', 'd1:mdee', undefined],
    ['empty version', 'd2:cc0:1:mdee', undefined],
    ['no dictionary', '4:spam', 'handshake-not-a-dictionary'],
    ['broken', 'd2:cc', 'unexpected'],
    ['incomplete', 'd2:cc3:4.01:md6:js_buyi61eee', 'mapping-incomplete'],
  ])('leaves a plain peer: %s', (_, body, note) => {
    const probe = observer();
    probe.step({ type: 'start' });
    const effects = probe.shake(text(body));
    expect(closeCode(effects)).toBeUndefined();
    expect(sent(effects)).toEqual([]);
    if (note !== 'unexpected') expect(only(effects, 'note').map(({ code }) => code)).toEqual(note ? [note] : []);
  });

  it('takes an uninstall without a mapping as a plain peer', () => {
    const effects = observer().shake(UNINSTALL);
    expect(effects).toEqual([{ type: 'note', code: 'uninstall-without-mapping' }]);
  });

  it('accepts a repeated mapping and a later handshake without a version (H2)', () => {
    const probe = installed();
    expect(only(probe.shake(INSTALL), 'note')[0]?.code).toBe('handshake-repeated');
    expect(only(probe.shake(text('d4:reqqi250ee')), 'note')[0]?.code).toBe('handshake-without-version');
    expect(sent(probe.step({ type: 'buy', terms: BUYER_TERMS }))).toHaveLength(1);
  });

  it('leaves the session when a valid mapping becomes unusable', () => {
    const effects = installed().shake(text('d2:cc3:4.01:md6:js_buyi61eee'));
    expect(only(effects, 'session-left')).toHaveLength(1);
    expect(closeCode(effects)).toBeUndefined();
  });

  it('keeps other top-level keys harmless', () => {
    const probe = observer();
    probe.step({ type: 'start' });
    const body = encodeExtendedHandshake({ kind: 'install', topLevel: { v: 'Other 1.0', p: 6881 } });
    expect(sent(probe.shake(body))).toEqual([{ type: 'observe' }]);
  });
});

describe('ids', () => {
  it("sends under a strict peer's own numbers", () => {
    const probe = observer();
    probe.step({ type: 'start' });
    expect(only(probe.shake(installWith(100)), 'send')[0]?.id).toBe(100);
  });

  it('sends our numbers to clients derived from the reference', () => {
    const named = observer();
    named.step({ type: 'start' });
    expect(only(named.shake(installWith(100, 'JoyStream 1.0.8')), 'send')[0]?.id).toBe(MESSAGE_ID.observe);
    const peer = { peerId: text('-JS1080-abcdefghijkl') };
    const byId = new Probe({ ...connectionConfig(), peer });
    byId.step({ type: 'observe' });
    byId.step({ type: 'start' });
    expect(only(byId.shake(installWith(100)), 'send')[0]?.id).toBe(MESSAGE_ID.observe);
  });

  it("drops the peer's own numbers and stock ids, closes on ids of nobody", () => {
    const probe = observer();
    probe.step({ type: 'start' });
    probe.shake(installWith(100));
    const payload = new Uint8Array(0);
    expect(only(probe.step({ type: 'received', id: 100, payload }), 'note')[0]?.code).toBe('foreign-id');
    expect(only(probe.step({ type: 'received', id: 2, payload }), 'note')[0]?.code).toBe('foreign-id');
    expect(closeCode(probe.step({ type: 'received', id: 77, payload }))).toBe('unknown-extended-id');
  });
});
