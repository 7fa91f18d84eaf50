"""zones: what is counted in a stream's zones and at its lines.

    object   where its anchor is: a point of its box, by default the middle of its lower side
    seen     in a picture, with a score of at least `min_score` and a label of `classes`
    settled  seen on one side, and on no other, from one picture to another one at least `settle_ms` later

A polygon's edge belongs to it. Of a stream that isn't tracked, a zone has those whose anchor is inside in
this picture. In a tracked one each object, once its track is confirmed, is settled inside or outside, and
stays so until it is settled on the other side, however it flickers at the edge in between:

    appeared      settled inside, without having been settled outside before
    entered       settled inside, after outside
    exited        settled outside, after inside
    lost_inside   settled inside when its track was forgotten

    inside = appeared + entered - exited - lost_inside, at every picture

Dwell is from the picture in which it was first seen inside to that in which it was first seen outside, or
last seen at all. A label is the one with which the object came in.

A line is crossed by the straight way from where an object was seen to where it is seen next, however far
that is; what passes beyond the line's ends doesn't cross it. Crossings to the right count +1, to the left -1,
and once the sum has not changed for `settle_ms`, what it is counts: whoever turns around, or sways across the
line faster than that, has crossed nothing. An object that is lost is nowhere; it is judged when it is seen
again.

Time is that of the pictures' capture stamps. Totals are since the session began. All of it is used by the
thread of postprocessing alone.

`checking` refuses what can't be had; `layout` is where zones and lines lie, `sighting` where a picture's
objects are, `known` what is known of each track; `visiting` and `crossing` decide who came, went and crossed,
`following` makes events of that, `accounts` adds up; `counter` is the whole of one stream.
"""
