import { describe, expect, it } from 'vitest';
import { mayCall } from './address-policy.js';

describe('addresses that webhooks may call', () => {
  it.each([
    '127.0.0.1',
    '127.255.0.9',
    '10.1.2.3',
    '172.16.0.1',
    '192.168.1.1',
    '169.254.169.254',
    '100.64.0.1',
    '0.0.0.0',
    '224.0.0.1',
    '255.255.255.255',
    '192.0.2.1',
    '198.18.0.1',
    '::1',
    '::',
    'fe80::1',
    'fc00::1',
    'fd12::1',
    'ff02::1',
    '::ffff:127.0.0.1',
    '::ffff:a9fe:a9fe',
    '64:ff9b::7f00:1',
    '2002:7f00:1::',
    '2001:db8::1',
    'localhost',
    '',
    '1',
    '0x7f000001',
    '2130706433',
  ])('not %s', (address) => {
    expect(mayCall(address, [])).toBe(false);
  });

  it.each(['8.8.8.8', '93.184.216.34', '2606:4700::1111', '::ffff:8.8.8.8'])('but %s', (address) => {
    expect(mayCall(address, [])).toBe(true);
  });

  it('and what the operator allows, in its own family only', () => {
    expect(mayCall('10.1.2.3', ['10.0.0.0/8'])).toBe(true);
    expect(mayCall('::ffff:10.1.2.3', ['10.0.0.0/8'])).toBe(true);
    expect(mayCall('11.1.2.3', ['12.0.0.0/8', 'fd00::/8'])).toBe(true);
    expect(mayCall('192.168.0.1', ['10.0.0.0/8', '::/0'])).toBe(false);
    expect(mayCall('fd00::5', ['fd00::/8'])).toBe(true);
  });
});
