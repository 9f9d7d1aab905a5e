import { z } from 'zod';

/** A claim that access tokens take from what is kept about their user. */
export type DeclaredClaim = {
  readonly name: string;
  readonly column: 'profile' | 'metadata';
  /** Names of members, from the outermost to the value. */
  readonly path: readonly string[];
};

/** Each may add 64 characters of name to a token. */
const mostClaims = 20;

/**
 * What the standards give a meaning (the registries of JWT claims and of introspection answers at
 * IANA), and what our tokens carry. A verifier would take the one for the other.
 */
const takenNames: ReadonlySet<string> = new Set(
  `iss sub aud exp nbf iat jti typ alg kid
  sid client_id roles permissions scope gen role_gen uid groups entitlements
  auth_time amr acr azp nonce at_hash c_hash s_hash sub_jwk cnf act may_act
  name given_name family_name middle_name nickname preferred_username profile picture website email
  email_verified gender birthdate zoneinfo locale phone_number phone_number_verified address updated_at
  active username token_type token_introspection authorization_details
  events toe txn rph vot vtm sph orig dest mky origid attest jcard at_use_nbr opt div crit
  vc vp vct status verified_claims place_of_birth nationalities birth_family_name birth_given_name
  birth_middle_name salutation title msisdn also_known_as cdniv cdnicrit cdniip cdniuc cdniets cdnistt cdnistd
  sig_val_claims ace_profile cnonce exi eat_nonce ueid sueids oemid hwmodel hwversion bootseed bootcount
  dbgstat location eat_profile submods measurements manifests measres intuse uptime secboot swname swversion
  sip_from_tag sip_date sip_callid sip_cseq_num sip_via_branch rcd rcdi crn sub_id trust_chain jwks
  metadata metadata_policy constraints trust_marks trust_mark_issuers trust_mark_owners authority_hints
  __proto__`.split(/\s+/),
);

const claimName = /^[!-~]{1,64}$/;
const claimPath = /^(profile|metadata)((?:\.[^.\p{C}]{1,100})+)$/u;

/** `{"department":"profile.department"}` as the claims it declares, in its order. */
export const tokenClaimsSchema = z.string().transform((text, context): readonly DeclaredClaim[] => {
  const faults: string[] = [];
  const claims = membersOf(text).flatMap(([name, path]) => readClaim(name, path, faults));
  if (claims.length > mostClaims) faults.push(`must declare at most ${mostClaims} claims`);
  for (const message of faults) context.addIssue({ code: 'custom', message });
  return claims;

  function membersOf(json: string): readonly [string, unknown][] {
    const parsed = parseJson(json);
    if (typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed)) return Object.entries(parsed);
    faults.push('must be a JSON object such as {"department":"profile.department"}');
    return [];
  }
});

function readClaim(name: string, path: unknown, faults: string[]): DeclaredClaim[] {
  const fault = (message: string): DeclaredClaim[] => {
    faults.push(`${message}: ${JSON.stringify(name.slice(0, 64))}`);
    return [];
  };
  if (!claimName.test(name)) return fault('names a claim that has not 1 to 64 visible ASCII characters');
  if (takenNames.has(name)) return fault('names a claim that the standards or Gatehouse use');
  const [, column, rest = ''] = claimPath.exec(typeof path === 'string' ? path : '') ?? [];
  if (column !== 'profile' && column !== 'metadata') {
    return fault('names no path such as profile.department or metadata.org.id for a claim');
  }
  return [{ name, column, path: rest.slice(1).split('.') }];
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
