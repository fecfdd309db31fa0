// Signing an approval in the browser: the admin's key is read from its file, used once, and leaves this page in no way.

const STATEMENT = "application/vnd.in-toto+json";
const POLICY = "application/vnd.wasmill.policy+json";
const text = new TextEncoder();

/** An approval of exactly what the page shows, signed, in base64. */
export async function approval(pem, shown, expires) {
  const subject = (name, sha256) => ({ name, digest: { sha256 } });
  const predicate = { permissions: shown.permissions, revision: shown.revision };
  if (expires) predicate.expires = expires;
  return envelope(pem, STATEMENT, {
    _type: "https://in-toto.io/Statement/v1",
    subject: [subject("component.wasm", shown.digest), subject("wasmill.toml", shown.manifest_digest)],
    predicateType: "urn:wasmill:approval:v1",
    predicate,
  });
}

/** A policy with exactly these texts, signed, in base64. */
export async function policy(pem, { serial, permissions, trust }) {
  return envelope(pem, POLICY, { serial, permissions, trust });
}

/** A DSSE envelope (https://github.com/secure-systems-lab/dsse). */
async function envelope(pem, type, value) {
  const key = await secret(pem);
  const payload = text.encode(JSON.stringify(value));
  const head = text.encode(`DSSEv1 ${type.length} ${type} ${payload.length} `);
  const signed = new Uint8Array([...head, ...payload]);
  const signature = new Uint8Array(await crypto.subtle.sign("Ed25519", key, signed));
  return base64(text.encode(JSON.stringify({ payload: base64(payload), payloadType: type, signatures: [{ sig: base64(signature) }] })));
}

async function secret(pem) {
  const body = pem.match(/-----BEGIN PRIVATE KEY-----([A-Za-z0-9+/=\s]+)-----END PRIVATE KEY-----/)?.[1];
  if (!body) throw new Error("this is no key file: choose keys/admin.key, as `wasmill init` or `wasmill key new` made it");
  const der = Uint8Array.from(atob(body.replace(/\s/g, "")), (c) => c.charCodeAt(0));
  return crypto.subtle.importKey("pkcs8", der, "Ed25519", false, ["sign"]);
}

function base64(data) {
  return btoa(Array.from(data, (byte) => String.fromCharCode(byte)).join(""));
}
