typedef int xa__no_chart;
