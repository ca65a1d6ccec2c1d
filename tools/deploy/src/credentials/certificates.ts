import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmodSync, copyFileSync, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Servers are given new certificates each year or two; whoever trusts the authority need not be told. */
const SERVER_DAYS = '730';
const AUTHORITY_DAYS = '3650';
const NEW_KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];

/**
 * Makes an authority, `tls-ca.pem` with its key, and for each server a certificate of it, `NAME.crt` and `NAME.key`, that is
 * good for the host in its HOST:PORT and for this machine. What exists stays; a server's removed file is made anew. Uses
 * OpenSSL, and throws what it says.
 * @returns the names of the files that were made
 */
export function makeCertificates(
  file: (name: string) => string,
  servers: Readonly<Record<string, string>>,
): readonly string[] {
  const made: string[] = [];
  const [ca, caKey] = [file('tls-ca.pem'), file('tls-ca.key')];
  if (!existsSync(ca)) {
    openssl(
      'req',
      '-x509',
      ...NEW_KEY,
      '-days',
      AUTHORITY_DAYS,
      '-subj',
      '/CN=Seedfleet',
      '-keyout',
      caKey,
      '-out',
      ca,
    );
    made.push('tls-ca.pem', 'tls-ca.key');
  }
  for (const [name, address] of Object.entries(servers)) {
    if (existsSync(file(`${name}.crt`))) continue;
    const scratch = mkdtempSync(join(tmpdir(), 'seedfleet-tls-'));
    try {
      const temporary = (what: string): string => join(scratch, what);
      const [key, request, extensions, certificate] = [
        temporary('key'),
        temporary('request'),
        temporary('extensions'),
        temporary('certificate'),
      ];
      writeFileSync(extensions, `subjectAltName=${subjects(hostOf(address))}\n`);
      openssl('req', ...NEW_KEY, '-subj', `/CN=${name}`, '-keyout', key, '-out', request);
      const signer = ['-CA', ca, '-CAkey', caKey, '-set_serial', `0x${randomBytes(16).toString('hex')}`];
      const given = ['-in', request, '-days', SERVER_DAYS, '-extfile', extensions];
      openssl('x509', '-req', ...given, ...signer, '-out', certificate);
      // The certificate last: where it is there, so is its key.
      copyFileSync(key, file(`${name}.key`));
      copyFileSync(certificate, file(`${name}.crt`));
    } finally {
      rmSync(scratch, { recursive: true, force: true });
    }
    made.push(`${name}.crt`, `${name}.key`);
  }
  for (const name of made) chmodSync(file(name), 0o600);
  return made;
}

const hostOf = (address: string): string => new URL(`tcp://${address}`).hostname.replace(/^\[|\]$/g, '');

/** The host that clients know it by, and this machine, on which the server's own tools ask it. */
function subjects(host: string): string {
  const named = isIP(host) === 0 ? `DNS:${host}` : `IP:${host}`;
  return [...new Set([named, 'DNS:localhost', 'IP:127.0.0.1'])].join(',');
}

function openssl(...args: string[]): void {
  const { status, stderr, error } = spawnSync('openssl', args, { encoding: 'utf8' });
  if (error !== undefined) throw new Error(`OpenSSL makes the certificates, and can't be run: ${error.message}`);
  if (status !== 0) throw new Error(`openssl ${args[0]}: ${stderr.trim()}`);
}
