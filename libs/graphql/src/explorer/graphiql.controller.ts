import { readFile } from 'node:fs/promises';

import { Controller, Get, Header } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';

import { Public } from '#libs/platform/access';

import { pathOfGraphiqlFile } from './graphiql-files.js';
import { startScript } from './graphiql-page.js';

const script = 'text/javascript; charset=utf-8';
const dayLong = 'public, max-age=86400';

/** What the page of GraphiQL loads, from its packages: it asks no other host for anything. */
@ApiExcludeController()
@Controller('graphql')
export class GraphiqlController {
  @Get('start.js')
  @Public()
  @Header('content-type', script)
  start(): string {
    return startScript;
  }

  @Get('react.js')
  @Public()
  @Header('content-type', script)
  @Header('cache-control', dayLong)
  react(): Promise<Buffer> {
    return readFile(pathOfGraphiqlFile('react.js'));
  }

  @Get('react-dom.js')
  @Public()
  @Header('content-type', script)
  @Header('cache-control', dayLong)
  reactDom(): Promise<Buffer> {
    return readFile(pathOfGraphiqlFile('react-dom.js'));
  }

  @Get('graphiql.js')
  @Public()
  @Header('content-type', script)
  @Header('cache-control', dayLong)
  graphiql(): Promise<Buffer> {
    return readFile(pathOfGraphiqlFile('graphiql.js'));
  }

  @Get('graphiql.css')
  @Public()
  @Header('content-type', 'text/css; charset=utf-8')
  @Header('cache-control', dayLong)
  style(): Promise<Buffer> {
    return readFile(pathOfGraphiqlFile('graphiql.css'));
  }
}
