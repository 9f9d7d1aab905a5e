import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';

import { Controller, Get, Header, Req, Res } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';

import { Public } from '#libs/platform/access';
import { AppError } from '#libs/platform/errors';
import { StaticRoute } from '#libs/platform/http';

import { graphiqlFiles, pathOfGraphiqlFile } from './graphiql-files.js';
import { startScript } from './graphiql-page.js';

const script = 'text/javascript; charset=utf-8';
const style = 'text/css; charset=utf-8';

/** Serves GraphiQL from its packages, so that its page asks no other host for anything. */
@ApiExcludeController()
@Controller('graphql')
export class GraphiqlController {
  @StaticRoute('start.js', 'js')
  start(): string {
    return startScript;
  }

  @Get(graphiqlFiles)
  @Public()
  @Header('cache-control', 'public, max-age=86400')
  file(@Req() { routeOptions }: FastifyRequest, @Res({ passthrough: true }) reply: FastifyReply): Promise<Buffer> {
    const path = pathOfGraphiqlFile(basename(routeOptions.url ?? ''));
    if (path === undefined) throw new AppError('not-found');
    reply.type(path.endsWith('.css') ? style : script);
    return readFile(path);
  }
}
