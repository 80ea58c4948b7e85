import { Component, provideZonelessChangeDetection, signal } from '@angular/core';
import { bootstrapApplication } from '@angular/platform-browser';
import { open } from 'lastgood';

@Component({
  selector: 'app-root',
  template: '@if (text(); as text) { <output>{{ text }}</output> }',
})
class App {
  readonly text = signal('');

  constructor() {
    open('/data/')
      .then((feed) => feed.read('performance'))
      .then(JSON.stringify, String)
      .then((text) => this.text.set(text));
  }
}

bootstrapApplication(App, { providers: [provideZonelessChangeDetection()] });
