import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** PEM files of an authority and of a server on localhost that it vouches for. */
export interface Certificates {
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
}

/** Makes an authority and a server's certificate with OpenSSL, good for a day. */
export function makeCertificates(folder: string, name: string): Certificates {
  const file = (suffix: string) => join(folder, `${name}-${suffix}`);
  const openssl = (...args: string[]) => execFileSync('openssl', args, { stdio: 'pipe' });
  const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '1'];
  const extensions = file('server.ext');
  writeFileSync(extensions, 'subjectAltName=DNS:localhost,IP:127.0.0.1\n');
  openssl('req', '-x509', ...newKey, '-subj', `/CN=${name}`, '-keyout', file('ca.key'), '-out', file('ca.pem'));
  openssl('req', ...newKey.slice(0, 5), '-subj', '/CN=localhost', '-keyout', file('key.pem'), '-out', file('csr.pem'));
  const signer = ['-CA', file('ca.pem'), '-CAkey', file('ca.key'), '-CAcreateserial'];
  const request = ['-in', file('csr.pem'), '-days', '1', '-extfile', extensions];
  openssl('x509', '-req', ...request, ...signer, '-out', file('cert.pem'));
  return { ca: file('ca.pem'), cert: file('cert.pem'), key: file('key.pem') };
}
