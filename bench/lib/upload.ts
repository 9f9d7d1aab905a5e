import type { Server } from './replica.ts';

export type Uploaded = { readonly status: number; readonly body: any; readonly milliseconds: number };

/** Gives the signed-in user a picture; a connection that breaks is status 0. */
export async function putAvatar(server: Server, token: string, bytes: Uint8Array): Promise<Uploaded> {
  const form = new FormData();
  form.append('file', new Blob([Uint8Array.from(bytes)]), 'picture');
  const startedAt = performance.now();
  try {
    const answer = await fetch(`${server.url}/v1/users/me/avatar`, {
      method: 'PUT',
      headers: { authorization: `Bearer ${token}` },
      body: form,
    });
    const text = await answer.text();
    return { status: answer.status, body: JSON.parse(text), milliseconds: performance.now() - startedAt };
  } catch {
    return { status: 0, body: undefined, milliseconds: performance.now() - startedAt };
  }
}

/** The path of the picture that an answer names, in a size. */
export const picturePath = ({ body }: Uploaded, size = 256): string =>
  new URL(body.avatar.url).pathname.replace(/-\d+\.webp$/, `-${size}.webp`);
