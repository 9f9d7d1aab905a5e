import { Controller, Get, Headers, Inject, Res } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';

import { showsGraphiql } from '#libs/graphql';
import { Public, Unlimited } from '#libs/platform/access';
import { type Config, CONFIG, isEmbedded } from '#libs/platform/config';
import { AppError } from '#libs/platform/errors';
import { pagePolicy, StaticFiles, StaticRoute, varyBy } from '#libs/platform/http';

const policy = pagePolicy("style-src 'self'; img-src data:");

/**
 * The page for a person who opens the service in a browser; a program gets a problem document.
 * Constant answers: a rate limit would cost more than they do.
 */
@ApiExcludeController()
@Controller()
export class StartPageController {
  readonly #files = new StaticFiles(new URL('../../pages/', import.meta.url));
  readonly #page: string;

  constructor(@Inject(CONFIG) config: Config) {
    this.#page = renderPage({
      hasGraphiql: showsGraphiql(config),
      isEmbedded: isEmbedded(config),
      sendsMail: config.MAIL !== 'off',
    });
  }

  @Get()
  @Public()
  @Unlimited()
  page(@Headers('accept') accept: string | undefined, @Res({ passthrough: true }) reply: FastifyReply): string {
    varyBy(reply, 'Accept');
    if (accept?.includes('text/html') !== true) throw new AppError('not-found');
    void reply.headers({ 'content-type': 'text/html; charset=utf-8', 'content-security-policy': policy });
    return this.#page;
  }

  @StaticRoute('start.css', 'css', { maxAgeSeconds: 86_400 })
  @Unlimited()
  style(): Promise<Buffer> {
    return this.#files.read('start.css');
  }
}

type Shown = { readonly hasGraphiql: boolean; readonly isEmbedded: boolean; readonly sendsMail: boolean };

/** All URLs are relative, because the service may stand below a path. Nothing on it is secret. */
const renderPage = ({ hasGraphiql, isEmbedded, sendsMail }: Shown): string => `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="robots" content="noindex">
<title>Gatehouse</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="start.css">
</head>
<body>
<main>
<h1>Gatehouse</h1>
<p>Users and auth for your services. It is running.</p>
<h2>What is here</h2>
<ul>
<li><a href="docs">Explorer of the API</a>: every operation, to try out</li>
${hasGraphiql ? '<li><a href="graphql">GraphiQL</a>: the same over GraphQL</li>\n' : ''}<li><a href="openapi.json">OpenAPI document</a>: for generators of clients</li>
<li><a href="health/ready">Health</a>: whether it can serve requests</li>
<li><a href="m/new">Messages</a>: write one that deletes itself when it is read</li>
${sendsMail ? '<li><a href="account/reset">Forgotten password</a>: choose a new one by mail</li>\n' : ''}</ul>
<h2>What to do first</h2>
<ol>
<li>Find the first administrator's password. It is in the file <code>first-admin-password</code> in the folder <code>DATA_DIR</code>
(<code>./data</code>) until somebody deletes that; a terminal shows it at the first start too. If you have set
<code>ADMIN_PASSWORD</code>, it is that one.</li>
<li>Sign in: in the explorer, try <code>POST /v1/auth/login</code>, then put the <code>accessToken</code> into
“Authorize”.</li>
<li>Read yourself with <code>GET /v1/users/me</code>, and give your people accounts with
<code>POST /v1/users</code>.</li>
</ol>
<p>Is the password lost? ${isEmbedded ? 'Stop the service, then run' : 'Run'} <code>npm run cli -- admin reset</code>${
  isEmbedded ? ' and start it again' : ''
}.</p>
<p>All else is in the files <code>README.md</code> and <code>docs/operations.md</code> of Gatehouse.</p>
</main>
</body>
</html>
`;
