/** What a service says of itself as an OAuth protected resource (RFC 9728 §2). */
export type ProtectedResource = {
  /** Its identifier: an address without a fragment; by default the `audience`. */
  readonly resource?: string | undefined;
  /** Permissions that its routes ask for: `scopes_supported`. */
  readonly permissions?: readonly string[] | undefined;
  readonly name?: string | undefined;
  /** For developers. */
  readonly documentationUrl?: string | undefined;
};

/** The document (RFC 9728 §2), as it is served. */
export type ProtectedResourceMetadata = {
  readonly resource: string;
  readonly authorization_servers: readonly string[];
  readonly bearer_methods_supported: readonly ['header'];
  readonly scopes_supported?: readonly string[];
  readonly resource_name?: string;
  readonly resource_documentation?: string;
};

/** The document of a service whose tokens are from the issuer. */
export function protectedResourceMetadata(
  issuer: string,
  { resource, permissions, name, documentationUrl }: ProtectedResource & { readonly resource: string },
): ProtectedResourceMetadata {
  return {
    resource,
    authorization_servers: [issuer],
    bearer_methods_supported: ['header'],
    ...(permissions && { scopes_supported: permissions }),
    ...(name !== undefined && { resource_name: name }),
    ...(documentationUrl !== undefined && { resource_documentation: documentationUrl }),
  };
}

/** Where the document has to be: the path of the resource comes last (RFC 9728 §3.1). */
export function protectedResourceMetadataUrl(resource: string): string {
  const { origin, pathname, search } = new URL(resource);
  return `${origin}/.well-known/oauth-protected-resource${pathname === '/' ? '' : pathname}${search}`;
}
