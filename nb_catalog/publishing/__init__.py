"""Publishing approved pictures: placements, renditions, staleness, alternative texts."""
