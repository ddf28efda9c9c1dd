// Archetypes who keep a house or a shop: innkeeper, smith, herbalist, baker, scholar, monk. Data only.
import { type Archetype, archetype } from '../fragment.ts';

export const indoors: Archetype[] = [
  archetype({
    name: 'innkeeper',
    setting: 'game',
    trades: 'innkeeper|tavern keeper|alewife',
    places:
      'the Gilded Goose|the Lantern Rest|the Sleeping Badger|the Three Kettles|the Broken Oar|the Merry Hedgehog|the Last Candle|the Copper Pot',
    wares: 'room|bowl of stew|mug of ale|hot bath|blanket|meat pie|jug of cider',
    tasks:
      'fetch a barrel of ale from the old mill|find the guest who left without paying|chase the rats out of the cellar|bring fresh bread from the baker|mend the sign above the door',
    secrets:
      'you water the ale|you read the letters your guests leave behind|you keep a bag of gold under the stairs|you once hid a prince in the cellar|you cannot cook at all',
    rumours:
      'a guest in the attic room never comes down to eat|someone paid for a whole year and left the same night|the cellar has a second door',
    life: 'The stew has been on the fire since morning.|I know every face that comes through this door.|There are nine rooms upstairs, and the roof only leaks in two.|I sweep the floor twice a day and it never shows.|A house like {place} lives on its regulars.|My guests pay late, eat early and talk all night.|I learned to pour ale before I learned to read.|On market days we run out of chairs.|The fire at {place} has not gone out in twenty years.|I keep the good cups for people who come back.',
    quip: 'The stew agrees.|No refunds on ale.|My cook thinks so too.|Even the rats tip better.|The goose told me.',
    joke: "We have two soups today, and they're the same soup.|My last guest praised the bed, and he slept on the floor.|The ale is so weak that it asks for help standing up.|I named the rats, and now they want wages.|A man once paid me in songs, so I cooked him a hat.|Our beds are so short that even the children complain.|My cook burned the water again this morning.",
    tint: 'The old beams know.|Every candle here agrees.|The hearth whispers it too.|So the kettle sings.|The rafters remember.',
    image:
      'Stories drift through this room like smoke looking for a window.|The fire leans closer whenever someone tells the truth.|At night the stairs creak in the voices of old guests.|Each cup on that shelf has a traveller sleeping inside it.|The windows hold the evening like honey in a jar.|Laughter soaks into these walls the way rain soaks into thatch.|The road ends here every night and begins again at dawn.',
    opening: 'Let me put this tray down.|Mind the wet floor.|Sit down by the fire.|Wait, the pot is boiling over.',
    close:
      "I'll be behind the bar.|The kitchen closes at ten.|There's a chair by the fire for you.|I must see to the guests now.",
  }),
  archetype({
    name: 'smith',
    setting: 'game',
    trades: 'blacksmith|smith|swordsmith',
    places:
      'the Red Anvil|the Old Forge|Hammer Yard|the Iron Door|the Ember House|Sparrow Forge|the Nail Market|the Black Bellows',
    wares: 'sword|horseshoe|dagger|iron pot|axe|shield|lock|helmet',
    tasks:
      'bring charcoal from the hill|carry a new gate to the castle|find my lost hammer|collect a debt from the miller|fetch iron ore from the mine',
    secrets:
      'you made the key to the royal vault|you are losing your sight|you sell the best blades to the rebels|you never finished your apprenticeship|you stole the recipe for your steel',
    rumours: 'the castle has ordered a hundred spears|somebody melted down the temple bell|the miner found iron that never cools',
    life: "I've been at the anvil since sunrise.|Good steel takes patience and a great deal of charcoal.|My father built this forge with his own hands.|Most of my work is nails, whatever the songs say.|A blade is only as honest as the hand that made it.|My arms ache every night and I sleep like a stone.|I buy my iron from the mines in the north.|You can hear {place} from the other end of {town}.|My apprentice drops more than he makes.|The fire must stay white, or the edge goes soft.",
    quip: 'The anvil agrees.|Ask my left thumb.|My hammer is laughing.|I nailed that one.|Steel yourself.',
    joke: 'My apprentice forged a spoon last week, and it bends around the soup.|I hit my thumb so often that it answers to its own name.|A knight asked for light armour, so I gave him a candle.|I made a sword for a coward once, and it came with a running start.|My beard caught fire twice, so now I call it a tradition.|The horse is my best customer, because he never haggles.|I built a lock so good that I had to sell the house.',
    tint: 'The anvil rings true.|Iron never forgets.|The embers nod.|So the hammer sings.|The steel hums softly.',
    image:
      'Every blade I make holds a small piece of the sunset.|The sparks fly up at night and try to join the stars.|Iron remembers the mountain it was taken from.|The fire breathes in and out like a sleeping dragon.|A good edge is a whisper made of frost.|The hammer knocks on the metal until something inside answers.|Smoke writes its own slow letters above the roof.',
    opening: 'Let me put the hammer down.|Stand back from the sparks.|Give me a moment, this is hot.|Speak up over the bellows.',
    close:
      'The iron is cooling, so I must work.|Come by the forge again.|Back to the anvil, then.|The fire will not wait for me.',
  }),
  archetype({
    name: 'herbalist',
    setting: 'game',
    trades: 'herbalist|healer|apothecary',
    places:
      'the Green Door|Nettle Cottage|the Moss House|the Quiet Garden|Thistle Corner|the Root Cellar|Willow Lodge|the Bitter Leaf',
    wares: 'healing potion|bundle of sage|sleeping draught|jar of honey|salve|fever tea|charm',
    tasks:
      'gather moonwort by the lake|bring a letter to the monks|find out who tramples my garden|catch three frogs without hurting them|deliver a tonic to the ferryman',
    secrets:
      'you are afraid of blood|you cured the old king and never told anyone|you grow a forbidden flower|you talk to the toads and they answer|your love potion is only plum wine',
    rumours:
      'a blue flower opened in the graveyard|the miller buys more sleeping draught than any man needs|the frogs left the pond in one night',
    life: 'I pick my herbs before the dew is gone.|Half of healing is listening, and the other half is tea.|My garden has more bees than {town} has people.|Every leaf on that shelf has cured or killed someone.|I dry the sage by the chimney and the mint by the door.|People come to {place} when everything else has failed.|My grandmother taught me which roots to trust.|Nettles are good for nearly everything.|I write each cure down in a green book.|The smell of thyme follows me home.',
    quip: 'Doctor of weeds, me.|The toad disagrees.|Side effects: hiccups.|Take two beets.|Thyme will tell.',
    joke: 'I made a potion for courage, and the cat drank it and moved to the castle.|This tonic cures everything except the taste of the tonic.|I told a man to rest, and he has not paid me since.|The toad is my partner, and he does all the paperwork.|My hair grows better than my hemlock, and both need cutting.|I once cured a cough by scaring it.|One patient was pickled for a week and asked for more.',
    tint: 'The leaves lean in.|So the moss murmurs.|The roots know it.|Even the sage sighs.|The petals agree.',
    image:
      'The garden dreams at night, and I pick what it dreams.|A fever is a small fire that has lost its way.|The roots hold hands under the whole valley.|Each jar on that shelf is a season with a lid on it.|Moonlight settles on the mint like a second kind of dew.|Grief grows like ivy, slowly and over everything.|The bees carry the gossip of the flowers from door to door.',
    opening:
      'Let me cork this bottle.|Mind the drying herbs.|Come in and close the door softly.|One moment, I am counting drops.',
    close: 'The kettle is ready now.|Go gently.|I have leaves to turn.|Drink something warm tonight.',
  }),
  archetype({
    name: 'baker',
    setting: 'game',
    trades: 'baker|bread maker|pastry cook',
    places:
      'the Warm Loaf|the Floury Cat|Crust Corner|the Seven Buns|the Old Oven|the Honey Roll|the Butter Bell|Poppy Lane Bakery',
    wares: 'loaf of bread|honey cake|apple tart|ginger biscuit|cheese roll|plum pie|seed bun',
    tasks:
      'carry twelve loaves to the castle|bring flour from the windmill|find out who steals my buns|catch the mouse in the pantry|taste every cake and tell me the truth',
    secrets:
      'you put chestnuts in the bread to save flour|you burned down your first bakery|you hide notes for the rebels in the rolls|you cannot stand the taste of cake|you won the pie contest by cheating',
    rumours:
      'the castle has stopped ordering bread|somebody leaves a coin on my step each dawn|the windmill turned backwards on Sunday',
    life: 'I get up when the owls go to bed.|Bread is flour, water, salt and patience.|The first loaves at {place} are gone before breakfast.|Flour gets into everything I own.|My oven is older than the town wall.|The children press their noses to my window every morning.|Rain makes the dough slow and the customers quick.|I give the last loaf of the day to whoever needs it.|A good crust should sing when you break it.|My hands know the dough better than my head does.',
    quip: 'On a roll today.|Knead I say more?|The buns agree.|Half-baked, I know.|Ask the sourdough.',
    joke: 'I asked the dough to rise, and now it wants a holiday.|My apprentice counts to eleven and calls it a dozen.|The mouse in my pantry has a bigger belly than the mayor.|I made a cake so heavy that we use it as a doorstop.|The goose bit a customer, and the customer bought a pie in fear.|I sneezed in the flour shop and came home as a ghost.|My bread is so good that the pudding is jealous.',
    tint: 'The oven hums along.|So the crusts crackle.|Warm as rising dawn.|The flour dust dances.|Even the yeast dreams.',
    image:
      'The loaves come out of the dark like small round suns.|Steam climbs from the bread and writes its name on the window.|Every morning I fold the night into the dough.|The whole street wakes up inside the smell of cinnamon.|Flour falls here the way snow falls in old stories.|The oven is a dragon that has learned good manners.|Honey remembers every flower it ever met.',
    opening: 'Mind the hot tray.|Wait, let me dust off my hands.|One moment, the oven is calling.|Come in from the cold.',
    close:
      'The next batch is nearly done.|Take care of that crust.|The oven wants me back.|Come early tomorrow, while the bread is warm.',
  }),
  archetype({
    name: 'scholar',
    setting: 'game',
    trades: 'scholar|archivist|keeper of books',
    places:
      'the Tower Library|the Dusty Archive|the House of Maps|the Ink Room|the Hall of Letters|the Owl Tower|the Silent Reading Room|the Paper Garden',
    wares: 'map|copied page|bottle of ink|quill|old almanac|star chart|letter of passage',
    tasks:
      'find a book that was borrowed ten years ago|copy the words on the old bridge|bring ink from the harbour|count the stairs of the bell tower|ask the hermit for his diary',
    secrets:
      'you have never left {town}|you burned the only copy of a terrible book|you invented half of your famous history|you cannot read the old tongue|you are writing a love letter to the duchess',
    rumours:
      'one page is missing from every copy of the chronicle|a map in the archive shows a street that is not there|someone writes answers in the margins at night',
    life: "I've read every book in this room except the locked one.|The catalogue alone fills forty volumes.|Facts are shy, and they come out when it is quiet.|My candle budget is larger than my salary.|I came to {place} for one afternoon, thirty years ago.|Each map of {town} disagrees with the last.|Mice are the true readers of history here.|I keep my notes in six languages, and all of them are messy.|The best answers hide in the footnotes.|Dust is only old knowledge lying down.",
    quip: 'See footnote nine.|I read that somewhere.|Citation needed, sadly.|Shh, says the mouse.|My quill is blushing.',
    joke: 'I lost my glasses, so for a week every book was a mystery.|My chair has read more than most kings, and it has better legs.|I wrote a book on modesty, and it is the finest ever written.|The mice ate chapter three, and they say it was dry.|I once argued with a statue and lost on points.|My hat holds more ideas than my head does.|The last man who borrowed a book returned it as soup, somehow.',
    tint: 'Old ink remembers.|So the margins whisper.|The pages turn slowly.|Dust and starlight agree.|The ink stays awake.',
    image:
      'Every book is a door that has learned to lie flat.|The letters march across the page like patient ants under the moon.|Knowledge gathers in the corners here, soft as snow.|A question is a lantern carried into an empty house.|The shelves breathe out centuries when nobody is looking.|Ink is only night that has agreed to sit still.|History folds over itself like waves on a slow shore.',
    opening: 'Let me mark my page.|Softly, please, the books are sleeping.|A question, at last.|Move that pile and sit.',
    close:
      'I must return to my notes.|Put the book back when you are done.|My candle is burning low.|The library closes at dusk.',
  }),
  archetype({
    name: 'monk',
    setting: 'game',
    trades: 'monk|temple keeper|bell ringer',
    places:
      'the Hill Temple|the White Abbey|the House of Bells|the Stone Chapel|the Silent Cloister|the Abbey of Doves|the Well of Lights|the Bell Tower',
    wares: 'candle|blessing|jar of honey|prayer ribbon|bottle of cider|carved bead|bowl of porridge',
    tasks:
      'ring the evening bell for me|carry candles to the chapel on the hill|find the goat that ate our hymn book|bring soup to the sick widow|polish the seven lamps',
    secrets:
      'you sleep through the morning prayer|you were a bandit once|you found a hole in the temple wall and told nobody|you drink the cider meant for the feast|you no longer believe in the bells',
    rumours:
      'the bell rang at midnight with nobody near it|a pilgrim left his shoes and walked on barefoot|the abbot gave up cider, or says so',
    life: 'I rise before the birds and I complain less than they do.|The bell must be rung at dawn, at noon and at dusk.|Silence is the hardest of our rules.|We brew cider here, and we tell ourselves it is medicine.|The garden of {place} feeds half of {town}.|I have swept these steps ten thousand times.|Pilgrims bring us mud, stories and sometimes cheese.|I took my vows on a rainy day in autumn.|The old abbot taught me to listen before I speak.|Seven lamps burn here, and one of them is always sulking.',
    quip: 'Bless my socks.|The goat disagrees.|I vowed not to laugh.|Heaven is giggling.|Amen to porridge.',
    joke: 'I kept my vow of silence for a whole lunch once.|The goat joined the choir, and the choir has improved.|Our porridge is so plain that it counts as a prayer.|I asked for a sign, and a tile fell on my bald head.|The abbot snores in three holy languages.|I gave up cake for a month, and the cake has not forgiven me.|My sandals squeak so loudly that the sinners hear me coming.',
    tint: 'The bells would agree.|Soft as candle smoke.|So the silence says.|The lamps lean closer.|The doves know.',
    image:
      'Each prayer goes up like a small bird that knows the way.|The bell pours its bronze voice over the roofs like slow water.|Silence has rooms, and some of them have windows.|The candles keep watch like a row of tiny moons.|Every worn step is a sentence the pilgrims wrote with their feet.|Kindness is a lamp that lights two faces.|Time sits down in the cloister and takes off its shoes.',
    opening: 'Peace to you.|Let me set this candle down.|Walk softly here.|Ah, a visitor.',
    close: 'The bell calls me.|Go in peace.|I must see to the lamps.|A candle burns for you here.',
  }),
];
