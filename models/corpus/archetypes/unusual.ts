// Archetypes out of the ordinary: noble, child, ghost, and the everyday people of small talk. Data only.
import { type Archetype, archetype } from '../fragment.ts';

export const unusual: Archetype[] = [
  archetype({
    name: 'noble',
    setting: 'game',
    trades: 'noble|lord of the manor|steward of the court',
    places:
      'Swan Manor|the Rose Court|the High Hall|the Marble House|the Winter Palace|Falcon House|the Mirror Hall|the Summer Court',
    wares: 'invitation|sealed letter|silver mirror|racing horse|title|painted fan|golden button',
    tasks:
      'deliver a sealed letter to my cousin|find out who writes poems to my sister|win the horse race in my name|bring back my runaway peacock|taste the wine before the feast',
    secrets:
      'you have no money left|you lost the manor at cards|your title is false|you write poems for the cook|you dress as a farmer and walk the market',
    rumours: 'the duke dances alone at night|there is a second will|the portrait in the hall has changed its frown',
    life: 'There are forty rooms at {place}, and I am bored in all of them.|My family has ruled these fields for nine generations.|The feast needs twelve more chairs and one less cousin.|A lady came to {place} last week and left with our cook.|I inherited this chair, this hall and this headache.|Everyone at court smiles with only half a mouth.|My horses eat better than most barons.|The peacocks wake me before the servants do.|I have danced with three queens and enjoyed one of them.|Good manners are armour without the weight.',
    quip: 'My butler laughed once.|Crown me amused.|Off with his hat.|The peacock approves.|How very cheese.',
    joke: 'My wig has its own room and a better view.|I have so many cousins that I bow to strangers to be safe.|The peacock outranks me at breakfast.|My portrait is so kind that nobody knows it is me.|I own a boat, a lake and no idea how they meet.|My butler resigned, but he was too polite to mention it.|I once fenced with a duke, and we both lost our hats.',
    tint: 'The portraits concur.|Cold as palace marble.|So the mirrors say.|The chandeliers tremble.|Old silver remembers.',
    image:
      'The court is a garden where the flowers watch each other.|Candles stand in the hall like a council of small golden kings.|My ancestors lean out of their frames to listen.|A title is a bell that rings whenever you try to sleep.|The marble floor remembers each waltz like ice remembers water.|Rumour moves through silk as wind moves through wheat.|The mirrors here have drunk a hundred faces.',
    opening: 'Ah, company.|You may come closer.|Mind the carpet.|Speak, I am listening.',
    close: 'My carriage is waiting.|The court expects me.|You may go now.|Give my regards to the gardens.',
  }),
  archetype({
    name: 'child',
    setting: 'game',
    trades: 'child|goose girl|errand boy',
    places:
      'the Well Square|the Apple Yard|the Goose Green|the Back Garden|Puddle Lane|the Tree House|the Hay Barn|Button Street',
    wares: 'frog|lucky button|drawing|blue marble|wooden sword|four-leaf clover|paper boat',
    tasks:
      'help me get my kite out of the tree|find my goose|guard my castle while I eat|carry a secret note to my friend|scare the big boys from the swing',
    secrets:
      'you broke the window of the baker|you keep a fox in the barn|you saw where the guard hid the key|you can read the old signs on the well|you are planning to run away to sea',
    rumours:
      'there is a monster in the well and it likes apples|the baker cries when he thinks nobody looks|the old statue moved its foot',
    life: "I'm seven and a half, nearly.|My goose is called Captain.|I can count to a hundred if nobody interrupts.|My best tree is the one by {place}.|Grown-ups walk too slowly and talk too long.|I have three marbles and one of them is magic.|I'm not allowed near the well, so I only go sometimes.|My mother says that I ask too much.|When I'm big I will be a knight or a baker.|I fell out of the tree twice and it only hurt once.",
    quip: 'My goose laughed.|Silly billy.|Bogeys are funny.|Frogs burp best.|Frogs say yes.',
    joke: "I put a frog in the teacher's hat, and it learned more than me.|My goose can spell, but only with her beak.|I ate six plums, and then they ate me.|My tooth fell out, so I sold it to my brother.|I hid so well that I found somebody else.|I taught the cat to swim, and now it does not like me.|My grandpa snores so loud that the chickens knock on the wall.",
    tint: 'The moon told me.|My marble glows yes.|Clouds think so too.|Puddles have sky inside.|The wind tickled me.',
    image:
      'The puddles are little windows to the other sky.|When it thunders, the clouds are moving their furniture.|The stars are holes where the daytime leaks through.|My shadow gets up early to be tall.|The wind goes to school in the trees and forgets everything.|Snow is the sky tearing up its homework.|The moon follows me home because it is lonely.',
    opening: 'Do you want to see my frog?|Shh, I am hiding.|Oh, a stranger.|Wait, I lost count.',
    close: 'I have to go, the goose is loose.|Mother is calling me.|Come and play later.|Now count to ten.',
  }),
  archetype({
    name: 'ghost',
    setting: 'game',
    trades: 'ghost|lost spirit|drowned miller',
    places:
      'the Old Mill|the Empty Chapel|the Sunken House|the North Stair|the Dry Well|the Broken Tower|the Winter Room|the Drowned Garden',
    wares: 'cold candle|forgotten name|silver locket|rusty key|last letter|broken clock|faded ribbon',
    tasks:
      'bring my locket back to my grave|tell my sister that I am sorry|light a candle in the broken tower|find out who moved my bones|read my last letter aloud',
    secrets:
      'you were not murdered, you slipped|you hid the will under the stairs|you are waiting for the wrong person|you envy the living their soup|you have forgotten your own face',
    rumours:
      'a living man sleeps in my grave on Tuesdays|the moon has been full for nine nights|somebody has answered the knocking in the wall',
    life: 'I have been dead for two hundred years and I still feel the draught.|Nobody has spoken to me since the last snow.|I walk the halls of {place} when the clock stops.|Cold does not trouble me, but silence does.|I remember bread better than I remember faces.|The living always ask the same thing and then run.|Once I lived in {town} and had a garden.|My chain is only for show.|Doors are the one thing I do not miss.|Years pass here like afternoons.',
    quip: 'Boo, by the way.|Dead funny, that.|I died laughing.|My grave agrees.|No body knows.',
    joke: 'I tried to scare a cat, and now it sleeps in my chest.|I would offer you soup, but it falls right through me.|Being dead is easy, but the pay is terrible.|My favourite room is the living room, and they never invite me.|I lost my head once, and it was the best nap I ever had.|I haunt on weekdays, because on weekends the owls are too loud.|I walked through a wall and forgot my trousers on the other side.',
    tint: 'The cold remembers.|So the dust whispers.|Pale as forgotten bells.|The dark hums softly.|Midnight heard it.',
    image:
      'I am a footprint that forgot its foot.|Time drips here from stone to stone and never fills the cup.|My voice is the draught under a door nobody opens.|The moon lays out its white linen for the sleepless.|Memory is a house where the candles walk by themselves.|Every echo here was once a person in a hurry.|I wear the fog the way you wear a coat.',
    opening: 'You can see me?|Do not be afraid.|Ah, a warm voice.|Who breathes there?',
    close: 'I fade at dawn.|Remember me.|The clock is about to strike.|Close the door, if it is still there.',
  }),
  archetype({
    name: 'neighbour',
    setting: 'everyday',
    trades: 'retired postman|neighbour|night nurse',
    places:
      'number nine|the corner house|the top flat|the house with the blue door|the ground floor|Maple Row|the yellow house|the end of the terrace',
    wares: 'ladder|jar of jam|old bicycle|tomato plant|spare key|box of books|garden chair',
    tasks:
      'water the plants while I am away|help me carry a sofa|feed the cat on Friday|look for my umbrella|fix the squeaky gate',
    secrets:
      'you feed the foxes at night|you ate the cake meant for the street party|you cannot ride a bicycle|you listen to the neighbours through the wall|you won a little money and told nobody',
    rumours:
      'the house on the corner has been sold|someone is painting smiling faces on the bins|the bakery will open on Sundays',
    life: 'I have lived at {place} for nearly thirty years.|The post comes late on Thursdays.|My tomatoes are doing better than I am.|I like a quiet street with one loud bird.|The kettle is always on in our kitchen.|We had new people move in next door last week.|Every autumn I promise myself to clear the attic.|My knees tell me the weather before the radio does.|On Sundays the whole street smells of roast potatoes.|{town} has changed, but the bench is still there.',
    quip: 'My knees agree.|Blame the cat.|Ask my slippers.|The kettle laughed.|Tea fixes that.',
    joke: 'I bought a treadmill, and it makes a lovely coat rack.|My cat pays no rent and still complains.|I joined a running club, and I run the biscuit table.|The recipe served four, so I served it to myself four times.|My phone knows my steps, and it is worried about me.|I talk to my plants, and one of them moved out.|I took a nap so long that my slippers filed a report.',
    tint: 'The street lamps nod.|So the kettle sings.|Soft as Sunday rain.|The garden heard it.|Even the clouds agree.',
    image:
      'The street wakes up one window at a time, like a slow smile.|Evening comes down the stairs in its socks here.|The washing on the line waves to every passing cloud.|Rain plays the piano on the shed roof.|My garden keeps a small piece of July for the winter.|The moon hangs over the chimneys like a forgotten balloon.|Friendship is a lamp left on in the hall.',
    opening: 'Come in, come in.|Let me put the kettle on.|Sorry, I was in the garden.|Good to see a face.',
    close: 'The kettle is boiling.|Say hello at home from me.|I should get the washing in.|Pop round any time.',
  }),
  archetype({
    name: 'barista',
    setting: 'everyday',
    trades: 'barista|café owner|tea seller',
    places: 'the Little Cup|Café Juniper|the Corner Bean|the Slow Kettle|the Window Seat|Café Magpie|the Blue Mug|the Steam Room',
    wares: 'coffee|cinnamon roll|pot of tea|cheese toast|lemon cake|hot chocolate|oat biscuit',
    tasks:
      'write the menu on the board|try the new cake|find the owner of a lost scarf|carry the milk crates inside|draw a poster for the music night',
    secrets:
      'you prefer tea|you spell names wrong on purpose|you are writing a novel in the back room|you drink nine cups a day|you have never been to Italy',
    rumours: 'a film crew is coming to the square|the old cinema will open again|the bus will stop here twice an hour',
    life: 'The first bus brings the sleepy ones.|I know most people here by their order.|We roast the beans on Mondays, and the street smells wonderful.|There is a man at {place} who writes one page a day.|The machine hisses, but it means well.|I open at six and I wake up at eight.|The window seat is always taken by the same grey cat.|Rainy days are good for cake.|I learned the trade from my aunt.|{town} runs on coffee and gossip.',
    quip: 'Espresso yourself.|I bean there.|Latte fun, that.|The muffin agrees.|Decaf is a joke.',
    joke: 'I drank so much coffee that I finished tomorrow already.|A man asked for something hot, so I gave him my rent bill.|My milk foam swan looks like a potato with dreams.|I spelled a name so badly that she changed it.|The croissant was so light that it left without paying.|My boss is the coffee machine, and she lets off steam.|Somebody ordered decaf, and the whole room took off their hats.',
    tint: 'Steam writes it down.|Warm as morning windows.|So the teaspoons ring.|The cups remember.|The dawn smells of it.',
    image:
      'Morning pours itself through the window like milk into coffee.|Steam rises from the cups and tells small ghost stories.|Every table is an island with its own weather.|The spoons ring like tiny bells of a friendly church.|Rain draws rivers on the glass, and we all watch them race.|The smell of coffee opens the day like an envelope.|Conversations settle in the corners like warm snow.',
    opening: 'Let me wipe the counter.|One second, the milk is hot.|Take the window seat.|Hold on, next order.',
    close: 'Your cup is ready.|See you tomorrow, same order.|I hear the machine hissing.|The queue is getting long.',
  }),
  archetype({
    name: 'librarian',
    setting: 'everyday',
    trades: 'librarian|bookseller|music teacher',
    places:
      'the Town Library|the Second Shelf|the Reading Room|the Book Barn|Page and Son|the Attic Bookshop|the Story Corner|the Paper House',
    wares: 'library card|used novel|reading lamp|bookmark|travel guide|cookbook|notebook',
    tasks:
      'sort a box of old postcards|read to the children on Saturday|find a book with no title|repair a torn cover|water the fern in the window',
    secrets:
      'you never finished the book everyone praises|you hide notes in returned books|you read the last page first|you dream of opening a bar|you keep one stolen bookmark',
    rumours:
      'a first edition was left in the return box|the reading club has split over an ending|the new teacher sings in a band',
    life: 'Tuesday is our quiet day at {place}.|I alphabetise things when I am nervous.|A good book finds you when you are ready.|The children come for the stories and stay for the beanbags.|Somebody returned a book after nineteen years.|I carry three novels in case two of them end.|The rain brings more readers than the posters do.|I like the smell of paper better than perfume.|People tell me their lives over the front desk.|The fern by my desk is older than the computers.',
    quip: 'Shh, I am laughing.|It was overdue.|Booked solid.|The fern giggled.|Plot twist, cake.',
    joke: "I put the ghost stories next to the cookbooks, and now the soup screams.|A man asked for a quiet place, so I gave him the tax section.|I fell asleep on a thriller and snored through the murder.|My glasses are on my head, or on somebody else's head.|The dictionary and I had words.|I whispered so long that my cat thinks I am a kettle.|Our oldest book is so dusty that it wears a beard.",
    tint: 'Every page agrees.|Soft as turned paper.|So the shelves whisper.|The quiet heard it.|Stories lean closer.',
    image:
      'Each book on the shelf is a window with its curtains drawn.|Words fall into the room like snow that stays warm.|The afternoon turns its own pages in the sun.|Silence here is a lake with stories swimming under it.|A bookmark is a small anchor in a large sea.|The dust in the light moves like slow music.|Every reader carries a lantern into the same dark wood.',
    opening: 'Let me put this book away.|Softly, the readers are dreaming.|Ah, good, a visitor.|Wait, I need my glasses.',
    close: 'The reading club starts soon.|Mind the trolley.|I have returns to sort.|Come back for the next chapter.',
  }),
];
