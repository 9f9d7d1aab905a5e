import { Injectable, type OnModuleInit } from '@nestjs/common';

import { PersonalData } from '#libs/platform/personal-data';

import { userSender } from './message-access.js';
import { MessagesRepository } from './messages.repository.js';

/** Messages from and to a user. An export says that they exist; only their URLs open their text. */
@Injectable()
export class MessagesPersonalData implements OnModuleInit {
  constructor(
    private readonly personalData: PersonalData,
    private readonly messages: MessagesRepository,
  ) {}

  onModuleInit(): void {
    this.personalData.register({
      name: 'sentMessages',
      references: ['messages.sender', 'messages.sender_id'],
      export: (userId) => this.messages.exportSent(userSender(userId)),
      erase: (em, userId) => this.messages.erase(em, 'sender_id', userId),
    });
    this.personalData.register({
      name: 'receivedMessages',
      references: ['messages.recipient_id'],
      export: (userId) => this.messages.exportReceived(userId),
      erase: (em, userId) => this.messages.erase(em, 'recipient_id', userId),
    });
  }
}
